import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface TimestampAuthorityDouble {
  readonly url: string;
  /** DER of the certificate that its chain ends in. */
  readonly root: Uint8Array;
  close(): Promise<void>;
}

const CONFIGURATION = (folder: string) => `
[tsa]
default_tsa = only
[only]
serial = ${folder}/serial
signer_cert = ${folder}/tsa.pem
signer_key = ${folder}/tsa.key
certs = ${folder}/root.pem
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
`;

/**
 * A timestamp authority on loopback: RFC 3161 over HTTP as OpenSSL answers it, with certificates of its own that live as
 * long as it does. A double in that nobody else trusts it.
 *
 * @param usage the extended key usage of its certificate
 */
export const startTimestampAuthority = async (
  usage = 'critical,timeStamping',
): Promise<TimestampAuthorityDouble> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-tsa-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]) => run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'root.key',
    '-out',
    'root.pem',
    '-subj',
    '/CN=Root',
    '-days',
    '2',
  );
  await openssl('req', ...key, '-keyout', 'tsa.key', '-out', 'tsa.csr', '-subj', '/CN=Authority');
  await writeFile(
    at('extensions'),
    `extendedKeyUsage=${usage}\nkeyUsage=critical,digitalSignature\n`,
  );
  await openssl(
    ...[
      'x509',
      '-req',
      '-in',
      'tsa.csr',
      '-CA',
      'root.pem',
      '-CAkey',
      'root.key',
      '-CAcreateserial',
    ],
    ...['-out', 'tsa.pem', '-days', '2', '-extfile', 'extensions'],
  );
  await writeFile(at('tsa.cnf'), CONFIGURATION(folder));
  await writeFile(at('serial'), '01\n');

  let asked = 0;
  const answer = async (query: Buffer): Promise<Buffer> => {
    asked += 1;
    const [question, reply] = [at(`${asked}.tsq`), at(`${asked}.tsr`)];
    await writeFile(question, query);
    await openssl('ts', '-reply', '-config', at('tsa.cnf'), '-queryfile', question, '-out', reply);
    return readFile(reply);
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      answer(Buffer.concat(chunks)).then(
        (reply) =>
          response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(reply),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    root: new X509Certificate(await readFile(at('root.pem'))).raw,
    close: async () => {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
};
