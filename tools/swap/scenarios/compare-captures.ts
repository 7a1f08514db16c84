// The scenarios with ours and with a Go sidecar in its place: what is captured at each moment must be the same. Pure.
import type { SidecarName } from '../../rig/contract.ts';
import type { CapturedMoment } from '../../scenarios/capture.ts';
import { type Difference, recordingDifferences } from '../observe/differences.ts';
import { methods } from '../observe/methods.ts';
import type { Recording } from '../observe/recording.ts';
import { byName, leaseOf, shaped } from '../observe/shape.ts';
import type { Result } from '../report.ts';

export type PlayedScenario =
  | { readonly kind: 'passed'; readonly moments: readonly CapturedMoment[] }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'skipped' };

/** By the scenario's name. */
export type PlayedScenarios = ReadonlyMap<string, PlayedScenario>;

/** One result for each scenario that the Go sidecar can pass, and one for each that ours did not. */
export function compareScenarios(about: SidecarName, ours: PlayedScenarios, theirs: PlayedScenarios): Result[] {
  return [...ours].flatMap(([name, our]): Result[] => {
    const title = `${about} in the scenario "${name}"`;
    const their = theirs.get(name);
    if (our.kind === 'skipped' || their?.kind === 'skipped') return [];
    if (our.kind === 'failed') return [{ title, differences: [], failure: `ours: ${our.message}` }];
    if (their === undefined) return [{ title, differences: [], failure: 'not played with the Go one' }];
    if (their.kind === 'failed') return [{ title, differences: [], failure: `theirs: ${their.message}` }];
    return [{ title, differences: momentDifferences(about, title, our.moments, their.moments) }];
  });
}

function momentDifferences(
  about: SidecarName,
  title: string,
  ours: readonly CapturedMoment[],
  theirs: readonly CapturedMoment[],
): Difference[] {
  return Array.from({ length: Math.max(ours.length, theirs.length) }, (_, index) => {
    const [our, their] = [ours[index], theirs[index]];
    const place = `${title}/${our?.moment ?? their?.moment}`;
    return recordingDifferences(place, captureOf(our, about), captureOf(their, about));
  }).flat();
}

/** Which requests are cut, what is told of them, and how far kube-controller-manager is with detaching is a matter of time. */
const cutByChance = new Set(['API server restart']);
/** Events that a killed sidecar had still to write are lost with it. */
const killedInTheMiddle = new Set(['sidecar restart', 'hand-over by a leader that is killed']);

/** What a sidecar has to do with: all objects of the scenario, and its own events, calls and lease. */
function captureOf(captured: CapturedMoment | undefined, about: SidecarName): Recording {
  if (captured === undefined) return {};
  const { scenario, claims, volumes, attachments, leases, capacities, events, volumeCalls } = captured;
  const own =
    cutByChance.has(scenario) || killedInTheMiddle.has(scenario) ? [] : events.filter(({ by }) => by === about);
  return withoutChance({
    claims: byName(claims),
    volumes: byName(volumes),
    attachments: cutByChance.has(scenario) ? {} : byName(attachments),
    leases: Object.fromEntries(Object.entries(byName(leases)).filter(([name]) => leaseOf(name) === about)),
    capacities: Object.fromEntries(capacities.map((capacity, index) => [String(index), capacity])),
    // How often, and in which words, the cases compare, in which nothing happens at the same time.
    events: Object.fromEntries(own.map(({ type, reason, kind, on }) => [`${type} ${reason} on ${kind} ${on}`, true])),
    calls: Object.fromEntries(
      Object.entries(volumeCalls).flatMap(([volume, calls]) => {
        const asked = ownCalls(calls, about);
        return asked.length === 0 ? [] : [[volume, shaped(asked)]];
      }),
    ),
  });
}

/** In order. The Go sidecars repeat some when they hear of their own write late. */
function ownCalls(calls: readonly string[], about: SidecarName): readonly string[] {
  const asked = calls.filter((call) => methods[about].has(call.split(' ')[0] ?? ''));
  return asked.filter((call, index) => call !== asked[index - 1]);
}

const chosenByChance = /\b(?:(node|zone)-[a-z0-9]|loop\d+)\b/g;

/** Where several nodes will do, the scheduler picks, and the kernel the loop device: counted in the order in which they are named. */
function withoutChance(recording: Recording): Recording {
  const seen = new Map<string, string>();
  const text = JSON.stringify(recording).replace(chosenByChance, (name, kind = 'loop') => {
    const token = seen.get(name) ?? `<${kind} ${seen.size + 1}>`;
    seen.set(name, token);
    return token;
  });
  const parsed: Recording = JSON.parse(text);
  return parsed;
}
