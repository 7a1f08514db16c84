import { join } from 'node:path';
import { silentLogger } from '@holdfast/core';
import { IdentityService, NodeService } from '@holdfast/csi-spec';
import { type Connection, dialUnix, RpcError } from '@holdfast/rpc';
import type { Program } from '../../rig/contract.ts';
import { startProgram } from '../../rig/program.ts';
import type { BenchArguments, DriverChoice } from '../arguments.ts';
import { bundleOf } from '../programs.ts';

/** The driver that the volumes are made with, and the one node they are attached to. */
export interface Driver {
  readonly name: string;
  readonly version: string;
  readonly address: string;
  readonly nodeId: string;
  readonly topology: Readonly<Record<string, string>>;
  readonly connection: Connection;
  /** Undefined for a driver that somebody else has started. */
  readonly program: Program | undefined;
  stop(): Promise<void>;
}

const timeoutMs = 10_000;
const nodeName = 'bench-node';

/**
 * Starts the driver, unless it serves already, and asks it who it is and where.
 * @throws Error when nobody serves its socket, with what the driver said
 */
export async function openDriver(
  given: Pick<BenchArguments, 'driver' | 'nodeId' | 'topology'>,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<Driver> {
  const endpoint = `unix://${folder}/csi.sock`;
  const address = given.driver.kind === 'running' ? given.driver.address : endpoint;
  const command = commandOf(given.driver, { folder, endpoint });
  const program =
    command &&
    (await startProgram({
      label: 'driver',
      ...command,
      logFile: `${folder}/driver.log`,
      env: { CSI_ENDPOINT: endpoint },
    }));
  try {
    const connection = await dialUnix({ address, log: silentLogger, signal });
    const { name, vendorVersion: version } = await connection
      .client(IdentityService)
      .getPluginInfo({}, { timeoutMs, signal });
    const node = await askNode(connection, given, signal);
    const stop = async (): Promise<void> => {
      connection.close();
      await program?.stop();
    };
    return { name, version, address, ...node, connection, program, stop };
  } catch (error) {
    await program?.kill();
    const said = program === undefined ? '' : `; the driver said:\n${program.log().trimEnd()}`;
    throw new Error(`${error instanceof Error ? error.message : String(error)}${said}`, { cause: error });
  }
}

function commandOf(
  choice: DriverChoice,
  { folder, endpoint }: { readonly folder: string; readonly endpoint: string },
): { file: string; args: readonly string[] } | undefined {
  switch (choice.kind) {
    case 'running':
      return undefined;
    case 'command': {
      const [file = '', ...args] = choice.command.map((word) => word.replaceAll('{endpoint}', endpoint));
      return { file, args };
    }
    case 'memory':
      return { file: process.execPath, args: [join(import.meta.dirname, 'memory-driver.ts'), endpoint] };
    case 'troubled': {
      const trouble = [String(choice.attachMs), ...(choice.isFailing ? ['failing'] : [])];
      return { file: process.execPath, args: [join(import.meta.dirname, 'troubled-driver.ts'), endpoint, ...trouble] };
    }
    case 'disk': {
      const flags = ['--backend=disk', `--endpoint=${endpoint}`, `--pool-dir=${folder}/pool`, `--node-id=${nodeName}`];
      return { file: process.execPath, args: [bundleOf('driver'), ...flags] };
    }
    default:
      return choice satisfies never;
  }
}

async function askNode(
  connection: Connection,
  given: Pick<BenchArguments, 'nodeId' | 'topology'>,
  signal: AbortSignal,
): Promise<Pick<Driver, 'nodeId' | 'topology'>> {
  try {
    const info = await connection.client(NodeService).nodeGetInfo({}, { timeoutMs, signal });
    const isGiven = Object.keys(given.topology).length > 0;
    return {
      nodeId: given.nodeId || info.nodeId,
      topology: isGiven ? given.topology : (info.accessibleTopology?.segments ?? {}),
    };
  } catch (error) {
    // A driver in its controller role alone has no node service.
    if (!(error instanceof RpcError) || error.code !== 'Unimplemented') throw error;
    return { nodeId: given.nodeId || nodeName, topology: given.topology };
  }
}
