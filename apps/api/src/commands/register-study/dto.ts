import { ApiProperty } from '@nestjs/swagger';
import { Id, Words } from '../../http/members.ts';

export class RegisterStudyBody {
  @Id({ about: 'Who will see it: those whose token names this project', example: 'wages' })
  project!: string;

  @Words(1024, {
    about: "Its folder or study file, relative to the studies folder of the runners' hosts",
    example: 'pay',
  })
  folder!: string;
}

export class PlacedStudy {
  @ApiProperty({ example: 'pay' }) studyId!: string;
  @ApiProperty() title!: string;
  @ApiProperty() project!: string;
  @ApiProperty({ type: 'string', nullable: true }) folder!: string | null;
  @ApiProperty({ type: 'integer' }) priority!: number;
}
