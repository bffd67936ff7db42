import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Operation } from '../../http/operation.ts';
import { DOCUMENT } from '../../tokens.ts';

@ApiTags('server')
@Controller('openapi.json')
export class OpenApiDocumentController {
  private readonly document: { readonly value: object };
  constructor(@Inject(DOCUMENT) document: { readonly value: object }) {
    this.document = document;
  }

  @Get()
  @Operation({
    id: 'getOpenApiDocument',
    kind: 'plain',
    summary: 'This document',
    description: 'The description of this API, made from its code (OpenAPI 3.1).',
  })
  @ApiOkResponse({ schema: { type: 'object' } })
  read(): object {
    return this.document.value;
  }
}
