import { ok, type Refusal, refused, type Result } from '#libs/kernel';
import type { RuntimeRecord } from './port.ts';

/** An image that can't change: a repository and the digest of a manifest. */
export interface Image {
  /** As engines take it: `<repository>@sha256:<hex>`. */
  readonly reference: string;
  readonly runtime: RuntimeRecord;
}

const REPOSITORY = /^[a-z0-9][a-z0-9._:/-]{0,254}$/;

/** Reads `<repository>@sha256:<64 hex>`. A tag is refused, also beside a digest: what it means can change. */
export const parseImage = (text: string): Result<Image, Refusal<'image-not-by-digest'>> => {
  const [repository = '', digest = '', ...more] = text.split('@');
  const sha256 = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
  const tagged = repository.slice(repository.lastIndexOf('/') + 1).includes(':');
  if (more.length > 0 || sha256 === undefined || tagged || !REPOSITORY.test(repository))
    return refused({
      code: 'image-not-by-digest',
      message: `found the image ${JSON.stringify(text.slice(0, 300))}, expected <repository>@sha256:<64 hexadecimal digits> without a tag; "docker image inspect --format '{{.RepoDigests}}' <image>" shows it`,
    });
  return ok({ reference: text, runtime: { name: 'oci-image', version: repository, sha256 } });
};
