/** The command line cannot be read. As in Go's flag packages the program prints its usage and exits with 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly exitCode = 2;
}

/** The program cannot go on. `exitCode` is what upstream exits with in the same case. */
export class ExitError extends Error {
  override readonly name: string = 'ExitError';
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode ?? 1;
  }
}

/** One of several programs in a process has failed, which ends them all. */
export class RoleError extends Error {
  override readonly name = 'RoleError';
  readonly role: string;
  override readonly cause: unknown;

  constructor(role: string, cause: unknown) {
    super(`${role} failed`);
    this.role = role;
    this.cause = cause;
  }
}

/** An established connection to the driver dropped. Its message also goes to the container's termination log. */
export class ConnectionLostError extends ExitError {
  override readonly name = 'ConnectionLostError';
}
