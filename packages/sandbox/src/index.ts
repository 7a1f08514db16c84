export type { TokenTable, User } from './apiserver/auth.ts';
export type { Interceptor, Intervention, RequestLogEntry, SeenRequest } from './apiserver/interception.ts';
export { kubeconfigText } from './apiserver/kubeconfig.ts';
export { type ApiServer, type ApiServerDeps, createApiServer } from './apiserver/server.ts';
