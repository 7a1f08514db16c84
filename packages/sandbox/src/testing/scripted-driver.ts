import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { silentLogger } from '@holdfast/core';
import {
  type ControllerCapability,
  ControllerService,
  IdentityService,
  type NodeCapability,
  NodeService,
  type PluginCapabilityName,
} from '@holdfast/csi-spec';
import {
  bindService,
  type CallContext,
  type RequestOf,
  type ResponseOf,
  rpcError,
  type ServiceBinding,
  serveUnix,
} from '@holdfast/rpc';
import { createScriptedServices, type ScriptedVolume } from './scripted-services.ts';

export type { ScriptedVolume } from './scripted-services.ts';

type Methods = typeof IdentityService & typeof ControllerService & typeof NodeService;

/** 'CreateVolume', 'NodeStageVolume', 'Probe', … */
export type RpcName = Capitalize<keyof Methods>;
export type RpcHandler<Name extends RpcName> = (
  request: RequestOf<Methods[Uncapitalize<Name> & keyof Methods]>,
  context: CallContext,
) => Promise<ResponseOf<Methods[Uncapitalize<Name> & keyof Methods]>>;

export interface DriverCapabilities {
  readonly plugin?: readonly PluginCapabilityName[];
  readonly controller?: readonly ControllerCapability[];
  readonly node?: readonly NodeCapability[];
}

export interface ScriptedDriverOptions {
  /** Where the socket goes; a temporary folder, removed by `stop`, when left out. */
  readonly dir?: string;
  /** Default: scripted.csi.holdfast. */
  readonly name?: string;
  /** Default: create/delete, publish/unpublish and expand; stage/unstage, expand and stats on the node. */
  readonly capabilities?: DriverCapabilities;
  readonly nodeId?: string;
  /** The topology segments NodeGetInfo answers and volumes get when the request names none. */
  readonly topology?: Readonly<Record<string, string>>;
  /** What GetCapacity answers, whatever has been made; 1 TiB when left out. */
  readonly availableBytes?: bigint;
  readonly handlers?: { readonly [Name in RpcName]?: RpcHandler<Name> };
}

export interface ScriptedCall {
  readonly method: RpcName;
  readonly request: unknown;
}

export type CallHook = (call: ScriptedCall, proceed: () => Promise<unknown>) => Promise<unknown>;

export interface ScriptedDriver {
  readonly name: string;
  readonly socketPath: string;
  /** Every call in the order it arrived, also those that failed. Clear it with `calls.length = 0`. */
  readonly calls: ScriptedCall[];
  /** The volumes there are, by id. */
  readonly volumes: ReadonlyMap<string, ScriptedVolume>;
  /** Has a volume without any call, as one that was there before. @returns its id */
  addVolume(name: string, capacityBytes?: bigint): string;
  removeVolume(id: string): void;
  /** Answers an RPC with `handler` from now on; it may throw an RpcError. Returns the way back. */
  on<Name extends RpcName>(name: Name, handler: RpcHandler<Name>): () => void;
  /** Puts `hook` around every call, the latest outermost: it may look, wait, refuse, or `proceed`. Returns the way back. */
  around(hook: CallHook): () => void;
  callsOf(method: RpcName): ScriptedCall[];
  stop(): Promise<void>;
}

// A method, not a property: a handler of one request type may stand where any request could come, because each is only
// ever called with the messages of its own RPC.
interface Override {
  handle(request: unknown, context: CallContext): Promise<unknown>;
}

/** A CSI driver on a real socket. It keeps its volumes in memory, mounts nothing, and does what it is told. */
export async function startScriptedDriver(options: ScriptedDriverOptions = {}): Promise<ScriptedDriver> {
  const name = options.name ?? 'scripted.csi.holdfast';
  const ownDir = options.dir === undefined ? await mkdtemp(path.join(tmpdir(), 'holdfast-csi-')) : undefined;
  const socketPath = path.join(options.dir ?? ownDir ?? '', 'csi.sock');
  const calls: ScriptedCall[] = [];
  const overrides = new Map<string, Override>();
  const hooks: CallHook[] = [];
  const services = createScriptedServices({
    name,
    nodeId: options.nodeId ?? 'node-1',
    topology: options.topology ?? {},
    availableBytes: options.availableBytes ?? 1024n ** 4n,
    plugin: options.capabilities?.plugin ?? ['CONTROLLER_SERVICE'],
    controller: options.capabilities?.controller ?? [
      'CREATE_DELETE_VOLUME',
      'PUBLISH_UNPUBLISH_VOLUME',
      'EXPAND_VOLUME',
    ],
    node: options.capabilities?.node ?? ['STAGE_UNSTAGE_VOLUME', 'EXPAND_VOLUME', 'GET_VOLUME_STATS'],
  });
  for (const [rpc, handler] of Object.entries(options.handlers ?? {})) overrides.set(rpc, { handle: handler });

  const recorded = (binding: ServiceBinding): ServiceBinding => ({
    service: binding.service,
    handlers: new Map(
      Object.keys(binding.service).map((key) => {
        const method = rpcNameOf(key);
        const ordinary = binding.handlers.get(key);
        const handle = async (request: unknown, context: CallContext): Promise<unknown> => {
          const call = { method, request };
          calls.push(call);
          const answer = async (): Promise<unknown> => {
            const override = overrides.get(method);
            if (override !== undefined) return override.handle(request, context);
            if (ordinary === undefined) throw rpcError('Unimplemented', `the scripted driver has no ${method}`);
            return ordinary(request, context);
          };
          return await hooks.reduce<() => Promise<unknown>>((proceed, hook) => () => hook(call, proceed), answer)();
        };
        return [key, handle] as const;
      }),
    ),
  });
  const server = await serveUnix({
    address: socketPath,
    services: [
      recorded(bindService(IdentityService, services.identity)),
      recorded(bindService(ControllerService, services.controller)),
      recorded(bindService(NodeService, services.node)),
    ],
    log: silentLogger,
  });
  return {
    name,
    socketPath,
    calls,
    volumes: services.volumes,
    addVolume(volumeName, capacityBytes = 1024n ** 3n) {
      const id = `vol-${volumeName}`;
      const publishedTo = new Set<string>();
      services.volumes.set(id, { id, name: volumeName, capacityBytes, parameters: {}, attributes: {}, publishedTo });
      return id;
    },
    removeVolume: (id) => void services.volumes.delete(id),
    on(rpc, handler) {
      const before = overrides.get(rpc);
      const override: Override = { handle: handler };
      overrides.set(rpc, override);
      return () => {
        if (overrides.get(rpc) !== override) return;
        if (before === undefined) overrides.delete(rpc);
        else overrides.set(rpc, before);
      };
    },
    around(hook) {
      hooks.push(hook);
      return () => void hooks.splice(hooks.indexOf(hook), 1);
    },
    callsOf: (method) => calls.filter((call) => call.method === method),
    async stop() {
      await server.stop(0);
      if (ownDir !== undefined) await rm(ownDir, { recursive: true, force: true });
    },
  };
}

const rpcNames: ReadonlyMap<string, RpcName> = new Map(
  [IdentityService, ControllerService, NodeService].flatMap((service) =>
    Object.keys(service)
      .filter(isMethod)
      .map((key) => [key, capitalized(key)] as const),
  ),
);

function isMethod(key: string): key is keyof Methods {
  return key in IdentityService || key in ControllerService || key in NodeService;
}

function capitalized(key: keyof Methods): RpcName {
  const name: string = key.charAt(0).toUpperCase() + key.slice(1);
  if (!isRpcName(name)) throw new Error(`${name} is no RPC of CSI`);
  return name;
}

function isRpcName(name: string): name is RpcName {
  return isMethod(name.charAt(0).toLowerCase() + name.slice(1));
}

function rpcNameOf(key: string): RpcName {
  const name = rpcNames.get(key);
  if (name === undefined) throw new Error(`${key} is no RPC of CSI`);
  return name;
}
