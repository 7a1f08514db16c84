// Stands between the sidecars and the controller's driver: every call is passed on, but those that a test answers itself.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { ControllerService, GroupControllerService, IdentityService } from '@holdfast/csi-spec';
import {
  type CallContext,
  type CallOptions,
  dialUnix,
  type RequestOf,
  type ResponseOf,
  type ServiceBinding,
  serveUnix,
  type UnaryMethodOf,
} from '@holdfast/rpc';

type Method = UnaryMethodOf<typeof ControllerService>;

/** Answers a call in the driver's place: `passOn` asks the driver. What it throws, an RpcError, is the answer. */
export type FrontAnswer<M extends Method> = (
  request: RequestOf<(typeof ControllerService)[M]>,
  passOn: () => Promise<ResponseOf<(typeof ControllerService)[M]>>,
) => Promise<ResponseOf<(typeof ControllerService)[M]>>;

export interface DriverFront {
  /** From now on. @returns the way back to the driver's own answers */
  on<M extends Method>(method: M, answer: FrontAnswer<M>): () => void;
  stop(): Promise<void>;
}

// Methods, not properties: what is for one type of request may stand where any could come, for it is only called with its own.
interface Answer {
  give(request: unknown, passOn: () => Promise<unknown>): Promise<unknown>;
}
interface Forward {
  call(request: unknown, options: CallOptions): Promise<unknown>;
}

/** As long as a sidecar that sets no deadline waits. */
const unboundedMs = 10 * 60_000;

export async function openDriverFront(deps: {
  readonly socketPath: string;
  readonly driverSocket: string;
  readonly signal: AbortSignal;
}): Promise<DriverFront> {
  const answers = new Map<string, Answer>();
  const connection = await dialUnix({ address: deps.driverSocket, log: silentLogger, signal: deps.signal });
  mkdirSync(dirname(deps.socketPath), { recursive: true });
  const server = await serveUnix({
    address: deps.socketPath,
    services: [
      passingOn(IdentityService, connection.client(IdentityService), answers),
      passingOn(ControllerService, connection.client(ControllerService), answers),
      passingOn(GroupControllerService, connection.client(GroupControllerService), answers),
    ],
    log: silentLogger,
  });
  return {
    on(method, answer) {
      const given: Answer = { give: answer };
      answers.set(method, given);
      return () => {
        if (answers.get(method) === given) answers.delete(method);
      };
    },
    async stop() {
      await server.stop(0);
      connection.close();
    },
  };
}

function passingOn(
  service: ServiceBinding['service'],
  driver: Readonly<Record<string, Forward['call']>>,
  answers: ReadonlyMap<string, Answer>,
): ServiceBinding {
  const handlers = Object.entries(driver).map(([name, call]) => {
    const handle = (request: unknown, { deadlineMs, signal }: CallContext): Promise<unknown> => {
      const passOn = (): Promise<unknown> => {
        const timeoutMs = deadlineMs === undefined ? unboundedMs : Math.max(1, deadlineMs - Date.now());
        return call(request, { timeoutMs, signal });
      };
      return answers.get(name)?.give(request, passOn) ?? passOn();
    };
    return [name, handle] as const;
  });
  return { service, handlers: new Map(handlers) };
}
