import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { BUNDLE_PORTS, openBundleFile } from '#apps/runner';
import { readCertificates, verifyTimestamp } from '#libs/anchors';
import { verifyBundle, type AuditorTrust, type VerifyTimestamp } from '#libs/bundle';
import { ok, reasonOf, refused, type Refusal, type Result } from '#libs/kernel';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { jsonLine, refuse, type Output } from '../output.ts';
import { bundleLines } from '../present/bundle.ts';

/** What an auditor gives besides the bundle. */
export interface AuditorOptions {
  readonly key?: string;
  readonly witness?: readonly string[];
  readonly timestampCa?: string;
  readonly seen?: string;
}

/** The options of a verb that takes a bundle. */
export const auditor = (command: Command): Command =>
  command
    .option('--key <vkey or file>', "the log's verifier key, for a bundle")
    .option('--witness <vkey or file...>', 'verifier keys of witnesses that you trust')
    .option('--timestamp-ca <file>', 'certificates (PEM) of timestamp authorities that you trust')
    .option('--seen <file>', 'a signed checkpoint of this log that you were shown before');

/** Whether a name is that of a file; only then it is a bundle. */
export const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

const MOST_BYTES = 1024 * 1024;

const unreadable = (path: string, error: unknown) =>
  refused({
    code: 'file-unreadable',
    message: `${path} can't be read: ${reasonOf(error)}`,
  });

/** A small text file; refused where it can't be read. */
export const textOf = async (path: string): Promise<Result<string, Refusal>> => {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) return unreadable(path, `it has ${size} bytes`);
    return ok(await readFile(path, 'utf8'));
  } catch (error) {
    return unreadable(path, error);
  }
};

/** Verifies timestamps by the certificates of a PEM file. */
const timestampsBy = async (path: string): Promise<Result<VerifyTimestamp, Refusal>> => {
  const text = await textOf(path);
  if (!text.ok) return text;
  let trusted: readonly Uint8Array[];
  try {
    trusted = readCertificates(text.value);
  } catch (error) {
    return unreadable(path, error);
  }
  return ok(async (token, message) => {
    const verified = await verifyTimestamp(token, message, trusted);
    return verified.ok ? verified.value.time : null;
  });
};

/** A verifier key, or the only line of a file that holds one. */
const keyGiven = async (given: string): Promise<Result<string, Refusal>> => {
  if (!(await isFile(given))) return ok(given);
  const text = await textOf(given);
  return text.ok ? ok(text.value.trim()) : text;
};

/** Whom the auditor trusts, out of what he gave. */
export const trustOf = async (options: AuditorOptions): Promise<Result<AuditorTrust, Refusal>> => {
  if (options.key === undefined)
    return refused({
      code: 'key-missing',
      message:
        'found no --key, expected the log’s verifier key, which you were given by another way than with the bundle',
    });
  const logKey = await keyGiven(options.key);
  if (!logKey.ok) return logKey;
  const witnesses: string[] = [];
  for (const given of options.witness ?? []) {
    const key = await keyGiven(given);
    if (!key.ok) return key;
    witnesses.push(key.value);
  }
  const seen = options.seen === undefined ? ok(null) : await textOf(options.seen);
  if (!seen.ok) return seen;
  const timestamps =
    options.timestampCa === undefined ? ok(null) : await timestampsBy(options.timestampCa);
  if (!timestamps.ok) return timestamps;
  return ok({
    ...{ logKey: logKey.value, witnesses },
    ...{ seen: seen.value, verifyTimestamp: timestamps.value },
  });
};

/** Verifies a bundle by itself: no home, log, repository or configuration is opened. */
export const verifyBundleFile = async (
  output: Output,
  path: string,
  options: AuditorOptions,
): Promise<ExitCode> => {
  const trust = await trustOf(options);
  if (!trust.ok) return refuse(output, trust.error);
  const file = openBundleFile(path);
  try {
    const verified = await verifyBundle(file.source, trust.value, BUNDLE_PORTS);
    if (!verified.ok) return refuse(output, verified.error);
    if (output.json) jsonLine(output, verified.value);
    else for (const line of bundleLines(output.style, verified.value)) output.line(line);
    return verified.value.verdict === 'PASS' ? EXIT.done : EXIT.blocked;
  } finally {
    file.close();
  }
};
