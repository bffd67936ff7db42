import { ok, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';

const LONGEST_ANSWER = 64 * 1024;
const PATIENCE_MS = 10_000;

export interface Answered {
  readonly status: number;
  readonly body: Uint8Array;
}

/** Posts to a stranger: he gets ten seconds, may send 64 KiB, and may not send us elsewhere. */
export const exchange = async (
  url: string,
  contentType: string,
  body: string | ArrayBuffer,
): Promise<Result<Answered, Refusal<'unreachable'>>> => {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'error',
      headers: { 'content-type': contentType },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > LONGEST_ANSWER) throw new Error(`an answer of more than ${LONGEST_ANSWER} bytes`);
      chunks.push(chunk);
    }
    return ok({ status: response.status, body: Buffer.concat(chunks) });
  } catch (error) {
    const why = reasonOf(error);
    return refused({ code: 'unreachable', message: `found ${url} not answering: ${why}` });
  }
};
