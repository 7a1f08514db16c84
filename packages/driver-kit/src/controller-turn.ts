import type { ServiceBinding, UntypedHandler } from '@holdfast/rpc';
import type { Backend } from './backend.ts';

// Answered from what the backend is, not from its storage; a standby's sidecars ask for them.
const asksForCapabilities = /GetCapabilities$/;

/** A service whose calls each wait for the backend's turn. */
export function inTurn(binding: ServiceBinding, { controllerTurn }: Pick<Backend, 'controllerTurn'>): ServiceBinding {
  if (controllerTurn === undefined) return binding;
  const waiting = ([name, handler]: [string, UntypedHandler]): [string, UntypedHandler] => [
    name,
    asksForCapabilities.test(name)
      ? handler
      : async (request, context) => {
          const leave = await controllerTurn();
          try {
            return await handler(request, context);
          } finally {
            leave();
          }
        },
  ];
  return { ...binding, handlers: new Map([...binding.handlers].map(waiting)) };
}
