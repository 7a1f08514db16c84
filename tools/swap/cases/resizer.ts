import { persistentVolumeClaims, pods } from '@holdfast/kube';
import { rpcError } from '@holdfast/rpc';
import type { Case, CaseStage } from '../case.ts';
import { failing } from './failing.ts';
import { claim, deleteBoth, secret, storageClass, untilBound, untilClaim } from './objects.ts';

const about = 'resizer';

async function prepare(stage: CaseStage, parameters: Readonly<Record<string, string>> = {}): Promise<void> {
  await stage.apply(storageClass(stage.namespace, { parameters, mountOptions: ['noatime'] }) + sized(stage, '1Gi'));
  await untilBound(stage, 'data');
}

const sized = (stage: CaseStage, size: string): string => claim('data', { className: stage.namespace, size });

/** The driver expands without the node's help. */
function withoutNode(stage: CaseStage): void {
  stage.driver.on('ControllerExpandVolume', async ({ capacityRange }) => ({
    capacityBytes: capacityRange?.requiredBytes ?? 0n,
    nodeExpansionRequired: false,
  }));
}

function storageOf(quantities: Readonly<Record<string, string>> | undefined): string | undefined {
  return quantities?.storage;
}

const untilGrown = (stage: CaseStage, size: string) =>
  untilClaim(stage, 'data', `has ${size}`, ({ status }) => storageOf(status?.capacity) === size);

const untilStatus = (stage: CaseStage, state: string) =>
  untilClaim(stage, 'data', state, ({ status }) => storageOf(status?.allocatedResourceStatuses) === state);

/** What kubelet writes when the file system has grown. */
async function finishOnNode(stage: CaseStage, size: string): Promise<void> {
  await stage.client.patch(
    persistentVolumeClaims,
    { namespace: stage.namespace, name: 'data' },
    {
      kind: 'merge',
      body: { status: { capacity: { storage: size }, allocatedResourceStatuses: null, conditions: [] } },
    },
    { subresource: 'status' },
  );
}

export const resizerCases: readonly Case[] = [
  {
    name: 'expand without the node',
    about,
    isShort: true,
    costs: {
      expanded: { 'patch persistentvolumeclaims/status': 2, 'patch persistentvolumes': 1, 'create events': 1 },
    },
    async play(stage) {
      await prepare(stage);
      withoutNode(stage);
      await stage.apply(sized(stage, '2Gi'));
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await stage.apply(sized(stage, '3500M'));
      await untilGrown(stage, '3500M');
      await stage.record('expanded again');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'expand with the node',
    about,
    isShort: true,
    costs: {
      'waiting for the node': {
        'patch persistentvolumeclaims/status': 2,
        'patch persistentvolumes': 1,
        'create events': 1,
      },
    },
    async play(stage) {
      await prepare(stage);
      await stage.apply(sized(stage, '2Gi'));
      await untilStatus(stage, 'NodeResizePending');
      await stage.record('waiting for the node');
      await finishOnNode(stage, '2Gi');
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await stage.apply(sized(stage, '3Gi'));
      await untilStatus(stage, 'NodeResizePending');
      await stage.record('waiting again');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'secrets',
    about,
    async play(stage) {
      await stage.apply(secret('expand'));
      await prepare(stage, {
        'csi.storage.k8s.io/controller-expand-secret-name': 'expand',
        'csi.storage.k8s.io/controller-expand-secret-namespace': stage.namespace,
      });
      withoutNode(stage);
      await stage.apply(sized(stage, '2Gi'));
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerExpandVolume fails twice',
    about,
    async play(stage) {
      await prepare(stage);
      withoutNode(stage);
      failing(stage.driver, 'ControllerExpandVolume', 2, rpcError('Internal', 'disk on fire'));
      await stage.apply(sized(stage, '2Gi'));
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerExpandVolume goes on failing',
    about,
    isRetrying: true,
    async play(stage) {
      await prepare(stage);
      const restore = stage.driver.on('ControllerExpandVolume', async () => {
        throw rpcError('Internal', 'disk on fire');
      });
      await stage.apply(sized(stage, '2Gi'));
      await untilCondition(stage, 'ControllerResizeError');
      await stage.record('failed');
      restore();
      withoutNode(stage);
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'ControllerExpandVolume times out',
    about,
    isRetrying: true,
    async play(stage) {
      await prepare(stage);
      const restore = stage.driver.on('ControllerExpandVolume', async () => {
        throw rpcError('DeadlineExceeded', 'still growing');
      });
      await stage.apply(sized(stage, '2Gi'));
      await untilStatus(stage, 'ControllerResizeInProgress');
      await stage.record('under way');
      restore();
      withoutNode(stage);
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'a size that cannot be, then one that can',
    about,
    isRetrying: true,
    async play(stage) {
      await prepare(stage);
      const restore = stage.driver.on('ControllerExpandVolume', async ({ capacityRange }) => {
        if ((capacityRange?.requiredBytes ?? 0n) > 2n * 1024n ** 3n) throw rpcError('OutOfRange', 'the pool is small');
        return { capacityBytes: capacityRange?.requiredBytes ?? 0n, nodeExpansionRequired: false };
      });
      await stage.apply(sized(stage, '9Ti'));
      await untilStatus(stage, 'ControllerResizeInfeasible');
      await stage.record('refused');
      await stage.apply(sized(stage, '2Gi'));
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      restore();
      await deleteBoth(stage, 'data');
    },
  },
  {
    name: 'a volume in use that must not be',
    about,
    isRetrying: true,
    async play(stage) {
      await prepare(stage);
      const restore = stage.driver.on('ControllerExpandVolume', async () => {
        throw rpcError('FailedPrecondition', 'the volume is in use');
      });
      await stage.apply(podWith(stage));
      await stage.apply(sized(stage, '2Gi'));
      await untilCondition(stage, 'ControllerResizeError');
      await stage.record('in use');
      restore();
      withoutNode(stage);
      await stage.client.delete(pods, { namespace: stage.namespace, name: 'user' }, { gracePeriodSeconds: 0 });
      await untilGrown(stage, '2Gi');
      await stage.record('expanded');
      await deleteBoth(stage, 'data');
    },
  },
];

const untilCondition = (stage: CaseStage, type: string) =>
  untilClaim(stage, 'data', type, ({ status }) => status?.conditions?.some((each) => each.type === type) ?? false);

/** A pod that nobody runs. */
function podWith({ namespace }: CaseStage): string {
  return `\n---\n${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'user', namespace },
    spec: {
      nodeName: 'node-a',
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'user', image: 'none' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
  })}`;
}
