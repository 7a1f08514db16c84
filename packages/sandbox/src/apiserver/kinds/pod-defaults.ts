import type { JsonObject, JsonValue } from '../json.ts';
import { ensureObject, isObject, listAt, objectAt, setDefault, stringAt } from '../json.ts';
import type { DraftObject } from '../objects.ts';

export const containerLists = ['initContainers', 'containers'];

export function applyDefaults(pod: DraftObject): void {
  const spec = ensureObject(pod, 'spec');
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'schedulerName', 'default-scheduler');
  setDefault(spec, 'serviceAccountName', 'default');
  // The name of old, which is always the same.
  spec['serviceAccount'] = spec['serviceAccountName'];
  setDefault(spec, 'enableServiceLinks', true);
  setDefault(spec, 'securityContext', {});
  for (const volume of listAt(spec, 'volumes').filter(isObject)) defaultVolume(volume);
  for (const list of containerLists) {
    for (const container of listAt(spec, list).filter(isObject)) defaultContainer(container);
  }
}

// 0644
const fileMode = 420;

function defaultVolume(volume: JsonObject): void {
  const { hostPath } = volume;
  if (Object.keys(volume).every((field) => field === 'name')) volume['emptyDir'] = {};
  if (isObject(hostPath)) setDefault(hostPath, 'type', '');
  for (const field of ['secret', 'configMap', 'projected', 'downwardAPI']) {
    const source = volume[field];
    if (isObject(source)) setDefault(source, 'defaultMode', fileMode);
  }
}

function defaultContainer(container: JsonObject): void {
  const image = stringAt(container, 'image') ?? '';
  const isLatest = image.endsWith(':latest') || !image.slice(image.lastIndexOf('/') + 1).includes(':');
  setDefault(container, 'imagePullPolicy', isLatest ? 'Always' : 'IfNotPresent');
  setDefault(container, 'resources', {});
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  for (const port of listAt(container, 'ports').filter(isObject)) setDefault(port, 'protocol', 'TCP');
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    const probe = container[name];
    if (isObject(probe)) defaultProbe(probe);
  }
}

function defaultProbe(probe: JsonObject): void {
  setDefault(probe, 'timeoutSeconds', 1);
  setDefault(probe, 'periodSeconds', 10);
  setDefault(probe, 'successThreshold', 1);
  setDefault(probe, 'failureThreshold', 3);
  const { httpGet } = probe;
  if (!isObject(httpGet)) return;
  setDefault(httpGet, 'scheme', 'HTTP');
  setDefault(httpGet, 'path', '/');
}

const unreachable = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** The DefaultTolerationSeconds admission plug-in: five minutes on a node that is lost. */
export function tolerateUnreachableNodes(spec: JsonObject): void {
  const given = listAt(spec, 'tolerations');
  const isTolerated = (key: string): boolean =>
    given.some((toleration) => {
      const effect = stringAt(toleration, 'effect') ?? '';
      const tolerated = stringAt(toleration, 'key') ?? '';
      return (tolerated === key || tolerated === '') && (effect === 'NoExecute' || effect === '');
    });
  const added: JsonValue[] = unreachable
    .filter((key) => !isTolerated(key))
    .map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }));
  if (added.length > 0) spec['tolerations'] = [...given, ...added];
}

const counted = ['cpu', 'memory'];

/** Guaranteed: every container's limits of cpu and memory are its requests. Best effort: none asks for any. */
export function qosClassOf(pod: DraftObject): string {
  const containers = containerLists.flatMap((list) => [...listAt(pod, 'spec', list)]);
  const amounts = containers.map((container) => ({
    requests: objectAt(container, 'resources', 'requests'),
    limits: objectAt(container, 'resources', 'limits'),
  }));
  const isGiven = (from: JsonObject | undefined, name: string): boolean => from?.[name] !== undefined;
  if (
    amounts.every(({ requests, limits }) => counted.every((name) => !isGiven(requests, name) && !isGiven(limits, name)))
  )
    return 'BestEffort';
  const isGuaranteed = amounts.every(({ requests, limits }) =>
    counted.every((name) => isGiven(limits, name) && (requests?.[name] ?? limits?.[name]) === limits?.[name]),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
