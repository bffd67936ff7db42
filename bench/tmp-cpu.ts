import { performance } from 'node:perf_hooks';
import { verifyBundle } from '#libs/bundle';
import { verify } from '#libs/signatures';
import { BUNDLE_PORTS, openBundleFile } from '../apps/runner/src/proving/bundle-files.ts';
const [, , path = '', logKey = '', mode = '', reps = '3'] = process.argv;
const ports = mode === 'sync' ? { ...BUNDLE_PORTS, verifySignature: verify } : mode === 'none' ? { ...BUNDLE_PORTS, verifySignature: () => true } : BUNDLE_PORTS;
for (let i = 0; i < Number(reps); i += 1) {
  const { source, close } = openBundleFile(path);
  const since = performance.now();
  const c = process.cpuUsage();
  const v = await verifyBundle(source, { logKey }, ports);
  const d = process.cpuUsage(c);
  const wall = performance.now() - since;
  if (!v.ok || v.value.verdict !== 'PASS') { console.log(JSON.stringify(v).slice(0, 3000)); process.exit(1); }
  const form = v.value.rows[0]!.found.match(/\d+/g)!.map(Number);
  const n = form[0]! - form[1]! - 3;
  const cpu = (d.user + d.system);
  console.log(mode, n, 'us/event cpu', (cpu / n).toFixed(2), 'user', (d.user/n).toFixed(2), 'wall', (wall * 1000 / n).toFixed(2), 'rss', Math.round(process.resourceUsage().maxRSS / 1024), 'heap', Math.round(process.memoryUsage().heapUsed/1e6));
  close();
}
