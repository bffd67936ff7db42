import { it } from 'vitest';
import { assembled, partsOf } from './assemble.ts';
import { caseOf, poolOf } from './cases.ts';
import { failed, firstVerifier, secondVerifier } from './verifiers.ts';
it('x', async () => {
  const second = secondVerifier();
  const p0 = performance.now();
  const pool = await poolOf(2);
  console.log('pool', performance.now() - p0, 'classes', pool.classes.length, new Set(pool.classes.map((c) => c.name)).size);
  for (const h of [...pool.honest, ...pool.forged]) if (Buffer.compare(await assembled(partsOf(h.world)), h.bytes)) console.log('DIFFERENT', h.what);
  const N = Number(process.env['N'] ?? 300), FROM = Number(process.env['FROM'] ?? 0);
  let tm = 0, t1 = 0, t2 = 0, bad = 0;
  const per: Record<string, number[]> = {};
  const dis = new Map<string, number>();
  for (let n = FROM; n < FROM + N; n += 1) {
    const a = performance.now();
    const c = await caseOf(n, pool);
    const b = performance.now();
    const f = await firstVerifier(c.bytes, c.trust);
    const d = performance.now();
    const s = await second.verify(c.bytes, c.trust);
    const e = performance.now();
    tm += b - a; t1 += d - b; t2 += e - d;
    const p = (per[c.family] ??= [0, 0, 0, 0]); p[0]! += 1; p[1]! += b - a; p[2]! += d - b; p[3]! += e - d;
    const ok = (v: typeof f) => v.verdict === 'BLOCK' ? failed(v).some((r) => c.rows.includes(r)) && (!c.alone || failed(v).every((r) => c.rows.includes(r))) : v.verdict === 'REFUSED' && c.mayBeNone;
    if (!ok(f) || !ok(s) || f.verdict !== s.verdict) { bad += 1; console.log('BAD', n, c.family, c.what, c.rows, f.verdict, failed(f), s.verdict, failed(s), f.rows.filter(r=>!r.passed).map(r=>r.found.slice(0,200)), s.rows.filter(r=>!r.passed).map(r=>r.found.slice(0,200))); }
    const byRow = new Map(f.rows.map((r) => [r.row, r]));
    for (const r of s.rows) { const o = byRow.get(r.row); if (o && o.passed !== r.passed) { const k = `${c.family} ${r.row.replace(/^.*: /, '')} first ${o.passed} second ${r.passed} form ${byRow.get('bundle-form')!.passed}`; if (!dis.has(k)) console.log('DIS', n, c.what, k, o.found.slice(0, 300), '||', r.found.slice(0, 300)); dis.set(k, (dis.get(k) ?? 0) + 1); } }
  }
  console.log(N, 'bad', bad, 'ms', tm / N, t1 / N, t2 / N, JSON.stringify(Object.fromEntries(Object.entries(per).map(([k, v]) => [k, v.map((x, i) => i ? Math.round(x / v[0]!) : x)]))));
  console.log([...dis]);
  await second.close();
}, 3000000);
