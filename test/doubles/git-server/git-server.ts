import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GitServerDouble {
  /** Address of the folder: add the name of a repository in it. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Smart HTTP on loopback for the bare repositories in a folder: git's own http-backend as CGI. A double in that it knows
 * no users and lets everybody push.
 */
export const startGitServer = async (folder: string): Promise<GitServerDouble> => {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const backend = spawn('git', ['http-backend'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        REQUEST_METHOD: request.method ?? 'GET',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        REMOTE_USER: 'anybody',
        REMOTE_ADDR: '127.0.0.1',
      },
    });
    request.pipe(backend.stdin);
    const chunks: Buffer[] = [];
    backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    backend.on('close', () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf('\r\n\r\n');
      const headers = answer.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n');
      const named = headers.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
      const status = named.find(([name]) => name === 'Status')?.[1] ?? '200';
      response.writeHead(
        end < 0 ? 500 : Number(status.slice(0, 3)),
        Object.fromEntries(named.filter(([name]) => name !== 'Status' && name !== '')),
      );
      response.end(answer.subarray(end + 4));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
