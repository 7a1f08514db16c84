import { Histogram, type Registry } from 'prom-client';
import type { RpcCode } from './codes.ts';

export interface Operation {
  /** Full method, such as `/csi.v1.Controller/CreateVolume`. */
  readonly method: string;
  readonly code: RpcCode;
  readonly seconds: number;
  /** Undefined until the driver told its name. */
  readonly driverName: string | undefined;
  /** Whether it is for a volume of an in-tree plug-in; undefined for a driver that took no plug-in's place. */
  readonly isMigrated?: boolean | undefined;
}

export interface OperationMetrics {
  observe(operation: Operation): void;
}

const labelNames = ['driver_name', 'method_name', 'grpc_status_code', 'migrated'] as const;

// Names, help, labels and buckets as csi-lib-utils has them, so that dashboards keep working.
const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600];
const help = '[ALPHA] Container Storage Interface operation duration with gRPC error code status total';

/** The histogram `<subsystem>_operations_seconds`. Asking twice for one registry gives the same histogram. */
export function createOperationMetrics(deps: {
  registry: Registry;
  subsystem: 'csi_sidecar' | 'csi_plugin';
  driverName?: string;
}): OperationMetrics {
  const name = `${deps.subsystem}_operations_seconds`;
  const existing = deps.registry.getSingleMetric(name);
  const histogram =
    existing instanceof Histogram
      ? existing
      : new Histogram({ name, help, labelNames, buckets, registers: [deps.registry] });
  return {
    observe({ method, code, seconds, driverName, isMigrated }) {
      histogram.observe(
        {
          driver_name: driverName ?? deps.driverName ?? 'unknown-driver',
          method_name: method,
          grpc_status_code: code,
          ...(isMigrated === undefined ? {} : { migrated: String(isMigrated) }),
        },
        seconds,
      );
    },
  };
}
