/** `core/v1`: the other kinds. */
export const core = `
AttachedVolume
  devicePath!= string, name!= string
ClientIPConfig
  timeoutSeconds *int32
ConfigMap
  apiVersion string, binaryData map[string]bytes, data map[string]string, immutable *bool, kind string,
  metadata ObjectMeta
ConfigMapNodeConfigSource
  kubeletConfigKey!= string, name!= string, namespace!= string, resourceVersion string, uid string
ContainerImage
  names= []string, sizeBytes int64
DaemonEndpoint
  Port!= int32
Event
  action string, apiVersion string, count int32, eventTime= microTime, firstTimestamp= time,
  involvedObject!= ObjectReference, kind string, lastTimestamp= time, message string, metadata! ObjectMeta,
  reason string, related ObjectReference, reportingComponent= string, reportingInstance= string, series EventSeries,
  source= EventSource, type string
EventSeries
  count int32, lastObservedTime= microTime
EventSource
  component string, host string
LoadBalancerIngress
  hostname string, ip string, ipMode *string, ports []PortStatus
LoadBalancerStatus
  ingress []LoadBalancerIngress
Namespace
  apiVersion string, kind string, metadata ObjectMeta, spec= NamespaceSpec, status= NamespaceStatus
NamespaceCondition
  lastTransitionTime= time, message string, reason string, status!= string, type!= string
NamespaceSpec
  finalizers []string
NamespaceStatus
  conditions [type]NamespaceCondition, phase string
Node
  apiVersion string, kind string, metadata ObjectMeta, spec= NodeSpec, status= NodeStatus
NodeAddress
  address!= string, type!= string
NodeCondition
  lastHeartbeatTime= time, lastTransitionTime= time, message string, reason string, status!= string, type!= string
NodeConfigSource
  configMap ConfigMapNodeConfigSource
NodeConfigStatus
  active NodeConfigSource, assigned NodeConfigSource, error string, lastKnownGood NodeConfigSource
NodeDaemonEndpoints
  kubeletEndpoint= DaemonEndpoint
NodeFeatures
  supplementalGroupsPolicy *bool
NodeRuntimeHandler
  features NodeRuntimeHandlerFeatures, name= string
NodeRuntimeHandlerFeatures
  recursiveReadOnlyMounts *bool, userNamespaces *bool
NodeSpec
  configSource NodeConfigSource, externalID string, podCIDR string, podCIDRs [set]string, providerID string,
  taints []Taint, unschedulable bool
NodeStatus
  addresses [type]NodeAddress, allocatable map[string]quantity, capacity map[string]quantity,
  conditions [type]NodeCondition, config NodeConfigStatus, daemonEndpoints= NodeDaemonEndpoints,
  declaredFeatures []string, features NodeFeatures, images []ContainerImage, nodeInfo= NodeSystemInfo, phase string,
  runtimeHandlers []NodeRuntimeHandler, volumesAttached []AttachedVolume, volumesInUse []string
NodeSwapStatus
  capacity *int64
NodeSystemInfo
  architecture!= string, bootID!= string, containerRuntimeVersion!= string, kernelVersion!= string,
  kubeProxyVersion!= string, kubeletVersion!= string, machineID!= string, operatingSystem!= string, osImage!= string,
  swap NodeSwapStatus, systemUUID!= string
PortStatus
  error *string, port!= int32, protocol!= string
Secret
  apiVersion string, data map[string]bytes, immutable *bool, kind string, metadata ObjectMeta,
  stringData map[string]string, type string
Service
  apiVersion string, kind string, metadata ObjectMeta, spec= ServiceSpec, status= ServiceStatus
ServiceAccount
  apiVersion string, automountServiceAccountToken *bool, imagePullSecrets []LocalObjectReference, kind string,
  metadata ObjectMeta, secrets [name]ObjectReference
ServicePort
  appProtocol *string, name string, nodePort int32, port!= int32, protocol string, targetPort= intOrString
ServiceSpec
  allocateLoadBalancerNodePorts *bool, clusterIP string, clusterIPs []string, externalIPs []string,
  externalName string, externalTrafficPolicy string, healthCheckNodePort int32, internalTrafficPolicy *string,
  ipFamilies []string, ipFamilyPolicy *string, loadBalancerClass *string, loadBalancerIP string,
  loadBalancerSourceRanges []string, ports [port+protocol]ServicePort, publishNotReadyAddresses bool,
  selector map[atomic]string, sessionAffinity string, sessionAffinityConfig SessionAffinityConfig,
  trafficDistribution *string, type string
ServiceStatus
  conditions [type]Condition, loadBalancer= LoadBalancerStatus
SessionAffinityConfig
  clientIP ClientIPConfig
Taint
  effect!= string, key!= string, timeAdded *time, value string
TopologySelectorLabelRequirement
  key!= string, values!= []string
TopologySelectorTerm atomic
  matchLabelExpressions []TopologySelectorLabelRequirement
`;
