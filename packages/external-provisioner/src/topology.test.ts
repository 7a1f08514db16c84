import { describe, expect, it } from 'vitest';
import { type ClusterTopology, type TopologyAnswer, type TopologyQuestion, topologyRequirement } from './topology.ts';
import { pickSegments, sortAndDeduplicate, spreadOffset, termOf } from './topology-terms.ts';

const labels: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  n1: { zone: 'z1', host: 'n1' },
  n2: { zone: 'z2', host: 'n2' },
  n3: { zone: 'z3', host: 'n3' },
};

function cluster(keys: readonly string[] = ['zone']): ClusterTopology {
  return {
    keysOf: (node) => (node in labels ? keys : undefined),
    labelsOf: (node) => labels[node],
    anyKeys: () => keys,
    termsFor: (wanted) =>
      wanted.length === 0
        ? []
        : sortAndDeduplicate(
            Object.values(labels).flatMap((each) => {
              const picked = pickSegments(each, wanted);
              return picked ? [termOf(picked)] : [];
            }),
          ),
  };
}

function ask(question: Partial<TopologyQuestion>): TopologyAnswer {
  return topologyRequirement({
    claimName: 'claim',
    selectedNode: undefined,
    allowedTopologies: undefined,
    rules: { isStrict: false, isImmediateTopology: true },
    cluster: cluster(),
    ...question,
  });
}

function zones(answer: TopologyAnswer): { requisite: string[]; preferred: string[] } | string {
  if (answer.kind !== 'required') return answer.kind;
  const names = (list: readonly { segments: Record<string, string> }[]) =>
    list.map(({ segments }) => segments.zone ?? '');
  return { requisite: names(answer.requirement.requisite), preferred: names(answer.requirement.preferred) };
}

const strict = { isStrict: true, isImmediateTopology: true };
const allowed = [{ matchLabelExpressions: [{ key: 'zone', values: ['z2', 'z1'] }] }];

describe('topologyRequirement', () => {
  it('delayed: offers the cluster and prefers the selected node', () => {
    expect(zones(ask({ selectedNode: 'n2' }))).toEqual({
      requisite: ['z1', 'z2', 'z3'],
      preferred: ['z2', 'z3', 'z1'],
    });
  });

  it('delayed with allowedTopologies: offers those alone', () => {
    expect(zones(ask({ selectedNode: 'n2', allowedTopologies: allowed }))).toEqual({
      requisite: ['z1', 'z2'],
      preferred: ['z2', 'z1'],
    });
  });

  it('delayed and strict: asks for the node alone', () => {
    expect(zones(ask({ selectedNode: 'n2', rules: strict }))).toEqual({ requisite: ['z2'], preferred: ['z2'] });
    expect(zones(ask({ selectedNode: 'n2', rules: strict, allowedTopologies: allowed }))).toEqual({
      requisite: ['z2'],
      preferred: ['z2'],
    });
  });

  it('immediate: spreads by the claim’s name', () => {
    const requisite = ['z1', 'z2', 'z3'];
    const start = spreadOffset('data-web-4', 3);
    expect(zones(ask({ claimName: 'data-web-4' }))).toEqual({
      requisite,
      preferred: [...requisite.slice(start), ...requisite.slice(0, start)],
    });
  });

  it('immediate with --immediate-topology=false: says nothing, unless the class allows only some', () => {
    const rules = { isStrict: false, isImmediateTopology: false };
    expect(ask({ rules })).toEqual({ kind: 'anywhere' });
    expect(zones(ask({ rules, allowedTopologies: allowed }))).toMatchObject({ requisite: ['z1', 'z2'] });
  });

  it('says nothing when allowedTopologies has entries but no values', () => {
    expect(ask({ allowedTopologies: [{}] })).toEqual({ kind: 'anywhere' });
  });

  it('asks for another node only when the CSINode is gone', () => {
    expect(ask({ selectedNode: 'gone' })).toMatchObject({
      kind: 'reschedule',
      reason: expect.stringContaining('gone'),
    });
  });

  it.each<[string, Partial<TopologyQuestion>, string]>([
    [
      'the driver is not on the node',
      { selectedNode: 'n1', cluster: cluster([]) },
      'no topology keys on the selected node n1',
    ],
    ['a label is missing', { selectedNode: 'n1', cluster: cluster(['zone', 'rack']) }, 'lacks the topology label rack'],
    [
      'the Node is unknown',
      { selectedNode: 'n1', cluster: { ...cluster(), labelsOf: () => undefined } },
      'n1 is not known',
    ],
    ['no node has the driver', { cluster: cluster([]) }, 'no node offers'],
    ['the node is not allowed', { selectedNode: 'n3', allowedTopologies: allowed }, 'outside'],
    ['the node is not allowed, strict', { selectedNode: 'n3', allowedTopologies: allowed, rules: strict }, 'outside'],
  ])('waits when %s', (_, question, text) => {
    expect(ask(question)).toMatchObject({ kind: 'unready', reason: expect.stringContaining(text) });
  });
});
