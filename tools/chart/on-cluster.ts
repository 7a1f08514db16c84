// What a real API server says of the chart: every object of every value set, and one life of a release.
import { startKubernetesCluster } from '../rig/kubernetes-cluster.ts';
import { namespace, release, runTool, template } from './helm.ts';
import type { Ledger } from './ledger.ts';
import { chartFolder, root, valueSets } from './value-sets.ts';

/** The kinds of the Prometheus operator, as far as it takes to see that they arrive. */
const monitoringKinds = ['PodMonitor', 'PrometheusRule'];

export async function checkOnCluster(ledger: Ledger, signal: AbortSignal): Promise<void> {
  const cluster = await startKubernetesCluster({
    signal,
    controllers: 'none',
    // The node plug-in mounts.
    apiServerArgs: ['--allow-privileged=true'],
  });
  try {
    const access = ['--kubeconfig', cluster.adminKubeconfig];
    const kubectl = (args: readonly string[], input = '') =>
      runTool('kubectl', [...access, ...args], { signal, input });
    const helm = (args: readonly string[]) =>
      runTool('helm', [...access, '--namespace', namespace, ...args], { signal });
    await cluster.apply(monitoringKinds.map(definitionOf).join('---\n'));
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    await kubectl(['create', 'namespace', namespace]);

    for (const { name, values } of valueSets) {
      const rendered = await template(values, signal);
      const created = await kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], rendered.stdout);
      const objects = created.stdout.split('\n').filter((line) => line.includes('created')).length;
      ledger.count(`${name}: ${objects} objects accepted`, created.code === 0 ? undefined : created.stderr);
    }
    for (const { name, golden } of valueSets) {
      if (!golden.startsWith('deploy/kustomize/')) continue;
      const built = await kubectl(['apply', '--dry-run=server', '-k', `${root}/deploy/kustomize/${name}`]);
      ledger.count(`kubectl apply -k ${name}`, built.code === 0 ? undefined : built.stderr);
    }
    for (const [what, args] of [
      ['helm install', ['install', release, chartFolder]],
      ['helm upgrade to the other layout', ['upgrade', release, chartFolder, '--set', 'layout=combined']],
      ['helm rollback', ['rollback', release, '1']],
      ['helm uninstall', ['uninstall', release]],
    ] as const) {
      const ran = await helm(args);
      ledger.count(what, ran.code === 0 ? undefined : ran.stderr);
    }
    const kinds = 'deploy,ds,pdb,sa,role,rolebinding,clusterrole,clusterrolebinding,csidriver,storageclass,configmap';
    const left = await kubectl(['get', kinds, '-A', '-l', `app.kubernetes.io/instance=${release}`, '-o', 'name']);
    ledger.count(
      'nothing is left of the release',
      left.code === 0 && left.stdout === '' ? undefined : left.stdout + left.stderr,
    );
  } finally {
    await cluster.stop();
  }
}

function definitionOf(kind: string): string {
  const singular = kind.toLowerCase();
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${singular}s.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {kind: ${kind}, plural: ${singular}s, singular: ${singular}}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
}
