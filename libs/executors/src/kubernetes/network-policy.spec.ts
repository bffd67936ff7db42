import type { V1NetworkPolicy } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { networkProblem } from './network-policy.ts';

const LABELS = { app: 'training', team: 'a' };

const policy = (name: string, spec: Partial<V1NetworkPolicy['spec']>): V1NetworkPolicy => ({
  metadata: { name },
  spec: { podSelector: {}, ...spec },
});

const DENY = policy('deny', { policyTypes: ['Ingress', 'Egress'] });
const LET_OUT = { policyTypes: ['Egress'], egress: [{}] };

describe('a network', () => {
  it.each<[string, V1NetworkPolicy[]]>([
    ['one policy denies all', [DENY]],
    [
      'two deny half each',
      [policy('in', { policyTypes: ['Ingress'] }), policy('out', { policyTypes: ['Egress'] })],
    ],
    [
      'by label',
      [policy('deny', { ...DENY.spec, podSelector: { matchLabels: { app: 'training' } } })],
    ],
    [
      'by expression',
      [
        policy('deny', {
          ...DENY.spec,
          podSelector: {
            matchExpressions: [
              { key: 'app', operator: 'In', values: ['training', 'x'] },
              { key: 'team', operator: 'NotIn', values: ['b'] },
              { key: 'team', operator: 'Exists' },
              { key: 'other', operator: 'DoesNotExist' },
            ],
          },
        }),
      ],
    ],
    [
      'what others may do is theirs',
      [DENY, policy('open', { ...LET_OUT, podSelector: { matchLabels: { app: 'web' } } })],
    ],
    // Rules of a direction that the policy is not about count for nothing.
    ['idle rules', [DENY, policy('idle', { policyTypes: ['Ingress'], egress: [{}] })]],
  ])('is shut: %s', (_, policies) => {
    expect(networkProblem(policies, LABELS)).toBeNull();
  });

  it.each<[string, V1NetworkPolicy[], RegExp]>([
    ['no policy', [], /denies pods with these labels ingress/],
    ['a way out', [policy('in', { policyTypes: ['Ingress'] })], /egress/],
    // Without types a policy is about Ingress alone.
    ['a policy without types', [policy('plain', {})], /egress/],
    [
      'a policy for others',
      [policy('deny', { ...DENY.spec, podSelector: { matchLabels: { app: 'web' } } })],
      /denies/,
    ],
    ['another policy that allows', [DENY, policy('dns', LET_OUT)], /dns allows/],
    ['rules without types', [DENY, policy('old', { egress: [{}] })], /old allows/],
    [
      'a denial that nobody understands',
      [
        policy('odd', {
          ...DENY.spec,
          podSelector: { matchExpressions: [{ key: 'app', operator: 'Gt', values: ['1'] }] },
        }),
      ],
      /denies/,
    ],
    [
      'an operator that nobody knows',
      [
        DENY,
        policy('odd', {
          ...LET_OUT,
          podSelector: { matchExpressions: [{ key: 'app', operator: 'Gt', values: ['1'] }] },
        }),
      ],
      /odd allows/,
    ],
  ])('is open with %s', (_, policies, problem) => {
    expect(networkProblem(policies, LABELS)).toMatch(problem);
  });
});
