/** `core/v1`: pods and what only they are made of. */
export const pods = `
Affinity
  nodeAffinity NodeAffinity, podAffinity PodAffinity, podAntiAffinity PodAntiAffinity
AppArmorProfile
  localhostProfile *string, type!= string
Capabilities
  add []string, drop []string
ConfigMapEnvSource
  name string, optional *bool
ConfigMapKeySelector atomic
  key!= string, name string, optional *bool
Container
  args []string, command []string, env [name]EnvVar, envFrom []EnvFromSource, image string, imagePullPolicy string,
  lifecycle Lifecycle, livenessProbe Probe, name!= string, ports [containerPort+protocol]ContainerPort,
  readinessProbe Probe, resizePolicy []ContainerResizePolicy, resources= ResourceRequirements, restartPolicy *string,
  restartPolicyRules []ContainerRestartRule, securityContext SecurityContext, startupProbe Probe, stdin bool,
  stdinOnce bool, terminationMessagePath string, terminationMessagePolicy string, tty bool,
  volumeDevices [devicePath]VolumeDevice, volumeMounts [mountPath]VolumeMount, workingDir string
ContainerExtendedResourceRequest
  containerName!= string, requestName!= string, resourceName!= string
ContainerPort
  containerPort!= int32, hostIP string, hostPort int32, name string, protocol string
ContainerResizePolicy
  resourceName!= string, restartPolicy!= string
ContainerRestartRule
  action! string, exitCodes ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes
  operator! string, values [set]int32
ContainerState
  running ContainerStateRunning, terminated ContainerStateTerminated, waiting ContainerStateWaiting
ContainerStateRunning
  startedAt= time
ContainerStateTerminated
  containerID string, exitCode!= int32, finishedAt= time, message string, reason string, signal int32,
  startedAt= time
ContainerStateWaiting
  message string, reason string
ContainerStatus
  allocatedResources map[string]quantity, allocatedResourcesStatus [name]ResourceStatus, containerID string,
  image!= string, imageID!= string, lastState= ContainerState, name!= string, ready!= bool,
  resources ResourceRequirements, restartCount!= int32, started *bool, state= ContainerState, stopSignal *string,
  user ContainerUser, volumeMounts [mountPath]VolumeMountStatus
ContainerUser
  linux LinuxContainerUser
DownwardAPIVolumeFile
  fieldRef ObjectFieldSelector, mode *int32, path!= string, resourceFieldRef ResourceFieldSelector
EnvFromSource
  configMapRef ConfigMapEnvSource, prefix string, secretRef SecretEnvSource
EnvVar
  name!= string, value string, valueFrom EnvVarSource
EnvVarSource
  configMapKeyRef ConfigMapKeySelector, fieldRef ObjectFieldSelector, fileKeyRef FileKeySelector,
  resourceFieldRef ResourceFieldSelector, secretKeyRef SecretKeySelector
EphemeralContainer
  args []string, command []string, env [name]EnvVar, envFrom []EnvFromSource, image string, imagePullPolicy string,
  lifecycle Lifecycle, livenessProbe Probe, name!= string, ports [containerPort+protocol]ContainerPort,
  readinessProbe Probe, resizePolicy []ContainerResizePolicy, resources= ResourceRequirements, restartPolicy *string,
  restartPolicyRules []ContainerRestartRule, securityContext SecurityContext, startupProbe Probe, stdin bool,
  stdinOnce bool, targetContainerName string, terminationMessagePath string, terminationMessagePolicy string,
  tty bool, volumeDevices [devicePath]VolumeDevice, volumeMounts [mountPath]VolumeMount, workingDir string
ExecAction
  command []string
FileKeySelector atomic
  key!= string, optional *bool, path!= string, volumeName!= string
GRPCAction
  port!= int32, service *string
HTTPGetAction
  host string, httpHeaders []HTTPHeader, path string, port!= intOrString, scheme string
HTTPHeader
  name!= string, value!= string
HostAlias
  hostnames []string, ip!= string
HostIP
  ip!= string
ImageVolumeStatus
  imageRef! string
Lifecycle
  postStart LifecycleHandler, preStop LifecycleHandler, stopSignal *string
LifecycleHandler
  exec ExecAction, httpGet HTTPGetAction, sleep SleepAction, tcpSocket TCPSocketAction
LinuxContainerUser
  gid!= int64, supplementalGroups []int64, uid!= int64
LocalObjectReference atomic
  name string
NodeAffinity
  preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm,
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector
NodeAllocatableResourceClaimStatus
  containers [set]string, resourceClaimName!= string, resources!= map[string]quantity
ObjectFieldSelector atomic
  apiVersion string, fieldPath!= string
PersistentVolumeClaimTemplate
  metadata ObjectMeta, spec!= PersistentVolumeClaimSpec
Pod
  apiVersion string, kind string, metadata ObjectMeta, spec= PodSpec, status= PodStatus
PodAffinity
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm,
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm
PodAffinityTerm
  labelSelector LabelSelector, matchLabelKeys []string, mismatchLabelKeys []string, namespaceSelector LabelSelector,
  namespaces []string, topologyKey!= string
PodAntiAffinity
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm,
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm
PodCondition
  lastProbeTime= time, lastTransitionTime= time, message string, observedGeneration int64, reason string,
  status!= string, type!= string
PodDNSConfig
  nameservers []string, options []PodDNSConfigOption, searches []string
PodDNSConfigOption
  name string, value *string
PodExtendedResourceClaimStatus
  requestMappings!= []ContainerExtendedResourceRequest, resourceClaimName!= string
PodIP
  ip!= string
PodOS
  name!= string
PodReadinessGate
  conditionType!= string
PodResourceClaim
  name!= string, resourceClaimName *string, resourceClaimTemplateName *string
PodResourceClaimStatus
  name!= string, resourceClaimName *string
PodSchedulingGate
  name!= string
PodSchedulingGroup
  podGroupName *string
PodSecurityContext
  appArmorProfile AppArmorProfile, fsGroup *int64, fsGroupChangePolicy *string, runAsGroup *int64,
  runAsNonRoot *bool, runAsUser *int64, seLinuxChangePolicy *string, seLinuxOptions SELinuxOptions,
  seccompProfile SeccompProfile, supplementalGroups []int64, supplementalGroupsPolicy *string, sysctls []Sysctl,
  windowsOptions WindowsSecurityContextOptions
PodSpec
  activeDeadlineSeconds *int64, affinity Affinity, automountServiceAccountToken *bool, containers!= [name]Container,
  dnsConfig PodDNSConfig, dnsPolicy string, enableServiceLinks *bool, ephemeralContainers [name]EphemeralContainer,
  hostAliases [ip]HostAlias, hostIPC bool, hostNetwork bool, hostPID bool, hostUsers *bool, hostname string,
  hostnameOverride *string, imagePullSecrets [name]LocalObjectReference, initContainers [name]Container,
  nodeName string, nodeSelector map[atomic]string, os PodOS, overhead map[string]quantity, preemptionPolicy *string,
  priority *int32, priorityClassName string, readinessGates []PodReadinessGate,
  resourceClaims [name]PodResourceClaim, resources ResourceRequirements, restartPolicy string,
  runtimeClassName *string, schedulerName string, schedulingGates [name]PodSchedulingGate,
  schedulingGroup PodSchedulingGroup, securityContext PodSecurityContext, serviceAccount string,
  serviceAccountName string, setHostnameAsFQDN *bool, shareProcessNamespace *bool, subdomain string,
  terminationGracePeriodSeconds *int64, tolerations []Toleration,
  topologySpreadConstraints [topologyKey+whenUnsatisfiable]TopologySpreadConstraint, volumes [name]Volume
PodStatus
  allocatedResources map[string]quantity, conditions [type]PodCondition, containerStatuses []ContainerStatus,
  ephemeralContainerStatuses []ContainerStatus, extendedResourceClaimStatus PodExtendedResourceClaimStatus,
  hostIP string, hostIPs []HostIP, initContainerStatuses []ContainerStatus, message string,
  nodeAllocatableResourceClaimStatuses []NodeAllocatableResourceClaimStatus, nominatedNodeName string,
  observedGeneration int64, phase string, podIP string, podIPs [ip]PodIP, qosClass string, reason string,
  resize string, resourceClaimStatuses [name]PodResourceClaimStatus, resources ResourceRequirements, startTime *time
PreferredSchedulingTerm
  preference!= NodeSelectorTerm, weight!= int32
Probe
  exec ExecAction, failureThreshold int32, grpc GRPCAction, httpGet HTTPGetAction, initialDelaySeconds int32,
  periodSeconds int32, successThreshold int32, tcpSocket TCPSocketAction, terminationGracePeriodSeconds *int64,
  timeoutSeconds int32
ResourceClaim
  name!= string, request string
ResourceFieldSelector atomic
  containerName string, divisor= quantity, resource!= string
ResourceHealth
  health string, message *string, resourceID!= string
ResourceRequirements
  claims [name]ResourceClaim, limits map[string]quantity, requests map[string]quantity
ResourceStatus
  name!= string, resources [resourceID]ResourceHealth
SELinuxOptions
  level string, role string, type string, user string
SeccompProfile
  localhostProfile *string, type!= string
SecretEnvSource
  name string, optional *bool
SecretKeySelector atomic
  key!= string, name string, optional *bool
SecurityContext
  allowPrivilegeEscalation *bool, appArmorProfile AppArmorProfile, capabilities Capabilities, privileged *bool,
  procMount *string, readOnlyRootFilesystem *bool, runAsGroup *int64, runAsNonRoot *bool, runAsUser *int64,
  seLinuxOptions SELinuxOptions, seccompProfile SeccompProfile, windowsOptions WindowsSecurityContextOptions
SleepAction
  seconds!= int64
Sysctl
  name!= string, value!= string
TCPSocketAction
  host string, port!= intOrString
Toleration
  effect string, key string, operator string, tolerationSeconds *int64, value string
TopologySpreadConstraint
  labelSelector LabelSelector, matchLabelKeys []string, maxSkew!= int32, minDomains *int32,
  nodeAffinityPolicy *string, nodeTaintsPolicy *string, topologyKey!= string, whenUnsatisfiable!= string
VolumeDevice
  devicePath!= string, name!= string
VolumeMount
  mountPath!= string, mountPropagation *string, name!= string, readOnly bool, recursiveReadOnly *string,
  subPath string, subPathExpr string
VolumeMountStatus
  mountPath!= string, name!= string, readOnly bool, recursiveReadOnly *string, volumeStatus VolumeStatus
VolumeStatus
  image ImageVolumeStatus
WeightedPodAffinityTerm
  podAffinityTerm!= PodAffinityTerm, weight!= int32
WindowsSecurityContextOptions
  gmsaCredentialSpec *string, gmsaCredentialSpecName *string, hostProcess *bool, runAsUserName *string
`;
