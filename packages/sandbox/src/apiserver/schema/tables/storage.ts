/** `storage.k8s.io/v1`. */
export const storage = `
CSIDriver
  apiVersion string, kind string, metadata ObjectMeta, spec!= CSIDriverSpec
CSIDriverSpec
  attachRequired *bool, fsGroupPolicy *string, nodeAllocatableUpdatePeriodSeconds *int64, podInfoOnMount *bool,
  preventPodSchedulingIfMissing *bool, requiresRepublish *bool, seLinuxMount *bool,
  serviceAccountTokenInSecrets *bool, storageCapacity *bool, tokenRequests []StorageTokenRequest,
  volumeLifecycleModes [set]string
CSINode
  apiVersion string, kind string, metadata ObjectMeta, spec!= CSINodeSpec
CSINodeDriver
  allocatable VolumeNodeResources, name!= string, nodeID!= string, topologyKeys= []string
CSINodeSpec
  drivers!= [name]CSINodeDriver
CSIStorageCapacity
  apiVersion string, capacity *quantity, kind string, maximumVolumeSize *quantity, metadata ObjectMeta,
  nodeTopology LabelSelector, storageClassName!= string
StorageClass
  allowVolumeExpansion *bool, allowedTopologies []TopologySelectorTerm, apiVersion string, kind string,
  metadata ObjectMeta, mountOptions []string, parameters map[string]string, provisioner!= string,
  reclaimPolicy *string, volumeBindingMode *string
StorageTokenRequest
  audience!= string, expirationSeconds *int64
VolumeAttachment
  apiVersion string, kind string, metadata ObjectMeta, spec!= VolumeAttachmentSpec, status= VolumeAttachmentStatus
VolumeAttachmentSource
  inlineVolumeSpec PersistentVolumeSpec, persistentVolumeName *string
VolumeAttachmentSpec
  attacher!= string, nodeName!= string, source!= VolumeAttachmentSource
VolumeAttachmentStatus
  attachError VolumeError, attached!= bool, attachmentMetadata map[string]string, detachError VolumeError
VolumeAttributesClass
  apiVersion string, driverName!= string, kind string, metadata ObjectMeta, parameters map[string]string
VolumeError
  errorCode *int32, message string, time= time
VolumeNodeResources
  count *int32
`;
