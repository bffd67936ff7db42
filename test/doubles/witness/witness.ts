import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  cosign,
  formatSignature,
  fromBase64,
  parseCheckpoint,
  parseNote,
  verifyNote,
  type Checkpoint,
  type NoteSigner,
  type VerifierKey,
  type VerifyEd25519,
} from '#libs/checkpoints';
import { emptyRoot, sameHash, verifyConsistency, type Sha256 } from '#libs/merkle';

export interface WitnessDouble {
  readonly url: string;
  /** What it cosigned last of each log. */
  readonly seen: ReadonlyMap<string, Checkpoint>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const LONGEST = 1_000_000;

const plain = (status: number, body = ''): Answer => ({ status, type: 'text/plain', body });

/**
 * A witness that speaks C2SP tlog-witness (add-checkpoint) on loopback: it keeps the last checkpoint of each log that it
 * knows, and cosigns what extends it. A double in that it forgets when it ends.
 */
export const startWitness = async (options: {
  readonly signer: NoteSigner;
  readonly logs: readonly VerifierKey[];
  readonly sha256: Sha256;
  readonly verify: VerifyEd25519;
  /** Seconds since 1970. */
  readonly now: () => number;
}): Promise<WitnessDouble> => {
  const { signer, logs, sha256, verify, now } = options;
  const seen = new Map<string, Checkpoint>();

  const addCheckpoint = (request: string): Answer => {
    const split = request.indexOf('\n\n');
    const [first = '', ...lines] = request.slice(0, Math.max(0, split)).split('\n');
    const old = Number(/^old (0|[1-9][0-9]*)$/.exec(first)?.[1] ?? NaN);
    const proof = lines.map(fromBase64);
    const note = parseNote(request.slice(split + 2));
    if (split < 0 || !Number.isSafeInteger(old) || proof.length > 63 || !note.ok) return plain(400);
    const checkpoint = parseCheckpoint(note.value.text);
    if (!checkpoint.ok || proof.some((hash) => hash === null)) return plain(400);
    const { origin, size, root } = checkpoint.value;
    const keys = logs.filter((key) => key.name === origin);
    if (keys.length === 0) return plain(404);
    if (!verifyNote(note.value, keys, verify).ok) return plain(403);
    if (old > size) return plain(400);
    const last = seen.get(origin);
    if (old !== (last?.size ?? 0))
      return { status: 409, type: 'text/x.tlog.size', body: `${last?.size ?? 0}\n` };
    if (size === 0 && !sameHash(root, emptyRoot(sha256))) return plain(422);
    const isExtension =
      last === undefined || last.size === 0
        ? proof.length === 0
        : verifyConsistency(
            sha256,
            { size1: last.size, size2: size, root1: last.root, root2: root },
            proof.filter((hash) => hash !== null),
          );
    if (!isExtension) return plain(422);
    seen.set(origin, checkpoint.value);
    return plain(200, `${formatSignature(cosign(signer, note.value.text, now()))}\n`);
  };

  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= LONGEST) chunks.push(chunk);
    });
    request.on('end', () => {
      const isKnown = request.method === 'POST' && request.url === '/add-checkpoint';
      const { status, type, body } = !isKnown
        ? plain(404)
        : bytes > LONGEST
          ? plain(413)
          : addCheckpoint(Buffer.concat(chunks).toString('utf8'));
      response.writeHead(status, { 'content-type': type }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
