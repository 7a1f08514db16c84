// Prints what k8s.io/csi-translation-lib answers to a few hundred inputs, one JSON document a line: the operation, what it was
// given, and the result, or that it refused or panicked. The same each time: chance comes from a fixed seed, and nothing is asked
// whose answer depends on the order of a Go map.
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strings"

	v1 "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	translation "k8s.io/csi-translation-lib"
	"k8s.io/klog/v2"
)

type volume struct {
	Metadata metadata                 `json:"metadata"`
	Spec     *v1.PersistentVolumeSpec `json:"spec"`
}

type metadata struct {
	Name        string            `json:"name,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type class struct {
	Parameters        map[string]string         `json:"parameters,omitempty"`
	AllowedTopologies []v1.TopologySelectorTerm `json:"allowedTopologies,omitempty"`
}

type line struct {
	Do      string `json:"do"`
	Given   any    `json:"given"`
	Result  any    `json:"result,omitempty"`
	Refused bool   `json:"refused,omitempty"`
	Panics  bool   `json:"panics,omitempty"`
}

var (
	translator = translation.New()
	chance     = rand.New(rand.NewSource(20260101))
	out        = json.NewEncoder(os.Stdout)
)

func answer(do string, given any, ask func() (any, error)) {
	// The translation may change what it is given.
	text, err := json.Marshal(given)
	check(err)
	found := line{Do: do, Given: json.RawMessage(text)}
	func() {
		defer func() { found.Panics = recover() != nil }()
		result, err := ask()
		if err != nil {
			found.Refused = true
		} else {
			found.Result = result
		}
	}()
	check(out.Encode(found))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func given(pv *v1.PersistentVolume) volume {
	return volume{metadata{pv.Name, pv.Labels, pv.Annotations}, &pv.Spec}
}

func toCSI(pv *v1.PersistentVolume) {
	answer("volumeToCsi", given(pv), func() (any, error) {
		made, err := translator.TranslateInTreePVToCSI(klog.Background(), pv)
		if err != nil {
			return nil, err
		}
		return given(made), nil
	})
}

func toInTree(pv *v1.PersistentVolume) {
	answer("volumeToInTree", given(pv), func() (any, error) {
		made, err := translator.TranslateCSIPVToInTree(pv)
		if err != nil {
			return nil, err
		}
		return given(made), nil
	})
}

func classToCSI(plugin string, sc *storage.StorageClass) {
	asked := struct {
		Plugin string `json:"plugin"`
		class
	}{plugin, class{sc.Parameters, sc.AllowedTopologies}}
	answer("classToCsi", asked, func() (any, error) {
		made, err := translator.TranslateInTreeStorageClassToCSI(klog.Background(), plugin, sc)
		if err != nil {
			return nil, err
		}
		return class{made.Parameters, made.AllowedTopologies}, nil
	})
}

func inlineToCSI(vol *v1.Volume, namespace string) {
	asked := struct {
		Volume    *v1.Volume `json:"volume"`
		Namespace string     `json:"namespace"`
	}{vol, namespace}
	answer("inlineVolumeToCsi", asked, func() (any, error) {
		made, err := translator.TranslateInTreeInlineVolumeToCSI(klog.Background(), vol, namespace)
		if err != nil {
			return nil, err
		}
		return given(made), nil
	})
}

func repair(driver, handle, node string) {
	asked := map[string]string{"driver": driver, "handle": handle, "node": node}
	answer("repairVolumeHandle", asked, func() (any, error) {
		return translator.RepairVolumeHandle(driver, handle, node)
	})
}

func one[T any](of ...T) T { return of[chance.Intn(len(of))] }

func maybe(percent int) bool { return chance.Intn(100) < percent }

func pointer[T any](value T) *T { return &value }

const (
	zone       = v1.LabelTopologyZone
	region     = v1.LabelTopologyRegion
	betaZone   = v1.LabelFailureDomainBetaZone
	betaRegion = v1.LabelFailureDomainBetaRegion
)

var drivers = map[string]string{
	"aws": "ebs.csi.aws.com", "gce": "pd.csi.storage.gke.io", "azureDisk": "disk.csi.azure.com",
	"azureFile": "file.csi.azure.com", "cinder": "cinder.csi.openstack.org", "vsphere": "csi.vsphere.vmware.com",
	"portworx": "pxd.portworx.com",
}

var plugins = map[string]string{
	"aws": "kubernetes.io/aws-ebs", "gce": "kubernetes.io/gce-pd", "azureDisk": "kubernetes.io/azure-disk",
	"azureFile": "kubernetes.io/azure-file", "cinder": "kubernetes.io/cinder", "vsphere": "kubernetes.io/vsphere-volume",
	"portworx": "kubernetes.io/portworx-volume",
}

var driverZoneKeys = map[string]string{
	"aws": "topology.ebs.csi.aws.com/zone", "gce": "topology.gke.io/zone", "azureDisk": "topology.disk.csi.azure.com/zone",
	"azureFile": "topology.file.csi.azure.com/zone", "cinder": "topology.cinder.csi.openstack.org/zone",
	"vsphere": "topology.csi.vmware.com/zone", "portworx": "topology.portworx.com/zone",
}

var zonesOf = map[string][]string{
	"aws": {"us-west-2a", "us-west-2b", "us-gov-east-1a", "us-west-2-lax-1a", "us-east-1-wl1-bos-wlz-1", "us-west-10a", "x", "us-west-2"},
	"gce": {"us-central1-a", "us-central1-b", "us-east1-b", "europe-west4-c", "zone", "a-b-c-d", "us-central1"},
}

func zoneFor(plugin string) string {
	if zones := zonesOf[plugin]; zones != nil {
		return one(zones...)
	}
	return one("zone-a", "zone-b", "nova", "1", "0", "westus-1", "eastus-2")
}

var order = []string{"aws", "gce", "azureDisk", "azureFile", "cinder", "vsphere", "portworx"}

func requirement(key string, values ...string) v1.NodeSelectorRequirement {
	return v1.NodeSelectorRequirement{Key: key, Operator: v1.NodeSelectorOpIn, Values: values}
}

func affinity(terms ...v1.NodeSelectorTerm) *v1.VolumeNodeAffinity {
	return &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: terms}}
}

func term(expressions ...v1.NodeSelectorRequirement) v1.NodeSelectorTerm {
	return v1.NodeSelectorTerm{MatchExpressions: expressions}
}

func randomTerm(plugin string, keys ...string) v1.NodeSelectorTerm {
	made := v1.NodeSelectorTerm{}
	for range 1 + chance.Intn(2) {
		values := []string{zoneFor(plugin)}
		if maybe(30) {
			values = append(values, zoneFor(plugin))
		}
		made.MatchExpressions = append(made.MatchExpressions, requirement(one(keys...), values...))
	}
	if maybe(10) {
		made.MatchFields = []v1.NodeSelectorRequirement{requirement("metadata.name", "node-1")}
	}
	return made
}

func randomPlace(pv *v1.PersistentVolume, plugin string, keys ...string) {
	if maybe(60) {
		terms := []v1.NodeSelectorTerm{randomTerm(plugin, keys...)}
		for maybe(30) {
			terms = append(terms, randomTerm(plugin, keys...))
		}
		pv.Spec.NodeAffinity = affinity(terms...)
	} else if maybe(20) {
		pv.Spec.NodeAffinity = &v1.VolumeNodeAffinity{}
	}
	for _, key := range []string{zone, betaZone, region, betaRegion, "team"} {
		if !maybe(25) {
			continue
		}
		value := zoneFor(plugin)
		if strings.HasSuffix(key, "zone") && maybe(30) {
			value += one("__", "__ ", "____", ",") + zoneFor(plugin)
		}
		metav1.SetMetaDataLabel(&pv.ObjectMeta, key, value)
	}
}

var modes = [][]v1.PersistentVolumeAccessMode{
	nil, {v1.ReadWriteOnce}, {v1.ReadOnlyMany}, {v1.ReadWriteMany}, {v1.ReadWriteOnce, v1.ReadOnlyMany},
	{v1.ReadWriteMany, v1.ReadOnlyMany}, {v1.ReadWriteOncePod},
}

var volumeIDs = []string{
	"vol-1", "aws://us-west-2a/vol-02399794d890f9375", "aws:///vol-02399794d890f9375", "aws://us-west-2a/vol-1/", "aws://us-west-2a//vol-1",
	"aws://us-west-2a/vol-1/x", "aws://us-west-2a/x-1", "aws://us-west-2a", "aws://", "aws:", "aws", "", "AWS:///vol-1", "aws://z/vol-1?a=b",
	"aws://z/vol-1#f", "aws://z/vol%2D1", "aws://z/vol-%2F1", "aws://z/vol-%zz", "aws://z z/vol-1", "aws://z:80/vol-1", "aws://z:x/vol-1",
	"aws://z/vol-", "aws://z/vol-1 2", "aws:/vol-1", "vol-1/2",
}

var diskURIs = []string{
	"/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/disks/disk-1",
	"/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/disks/disk-1/providers/Microsoft.Compute/disks/two",
	"/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/disks/", "/subscriptions/1/resourcegroups/rg/providers/Microsoft.Compute/disks/d",
	"x/subscriptions//resourceGroups//providers/Microsoft.Compute/disks/d/e", "/resourceGroups/rg/subscriptions/1/providers/Microsoft.Compute/disks/d",
	"/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/disks/a/providers/Microsoft.Compute/disks/",
	"https://account.blob.core.windows.net/vhds/disk.vhd", "http://x/vhds/", "http://x/vhds/a/vhds/b", "HTTPS://x/vhds/a", "http:/x/vhds/a",
	"http", "https", "", "disk-1",
}

var secretNames = []string{
	"azure-storage-account-acc-secret", "azure-storage-account--secret", "acc", "", "x-azure-storage-account-a-secret-y", "azure-storage-account-a-secret-secret",
	"azure-storage-account-azure-storage-account-b-secret", "azure-storage-account-secret", "-secret-azure-storage-account-a",
}

// The i-th source of a plug-in, for a PersistentVolume; the first ones are the edges.
func source(plugin string, i int) v1.PersistentVolumeSource {
	readOnly, fsType, partition := maybe(40), one("", "ext4", "xfs"), one(int32(0), 1, 7, -1)
	pick := func(of []string) string { return of[i%len(of)] }
	switch plugin {
	case "aws":
		return v1.PersistentVolumeSource{AWSElasticBlockStore: &v1.AWSElasticBlockStoreVolumeSource{VolumeID: pick(volumeIDs), FSType: fsType, Partition: partition, ReadOnly: readOnly}}
	case "gce":
		return v1.PersistentVolumeSource{GCEPersistentDisk: &v1.GCEPersistentDiskVolumeSource{PDName: one("disk-1", "", "a/b"), FSType: fsType, Partition: partition, ReadOnly: readOnly}}
	case "azureDisk":
		made := &v1.AzureDiskVolumeSource{DiskName: "disk-1", DataDiskURI: pick(diskURIs)}
		if maybe(60) {
			made.FSType = pointer(fsType)
		}
		if maybe(60) {
			made.ReadOnly = pointer(readOnly)
		}
		if maybe(60) {
			made.CachingMode = pointer(one(v1.AzureDataDiskCachingNone, v1.AzureDataDiskCachingReadOnly, ""))
		}
		if maybe(60) {
			made.Kind = pointer(one(v1.AzureManagedDisk, v1.AzureManagedDisk, "managed", v1.AzureDedicatedBlobDisk, v1.AzureSharedBlobDisk, ""))
		}
		return v1.PersistentVolumeSource{AzureDisk: made}
	case "azureFile":
		made := &v1.AzureFilePersistentVolumeSource{SecretName: pick(secretNames), ShareName: one("share", "", "a#b"), ReadOnly: readOnly}
		if maybe(60) {
			made.SecretNamespace = pointer(one("kube-system", "default", ""))
		}
		return v1.PersistentVolumeSource{AzureFile: made}
	case "cinder":
		return v1.PersistentVolumeSource{Cinder: &v1.CinderPersistentVolumeSource{VolumeID: one("d4f6c2", ""), FSType: fsType, ReadOnly: readOnly}}
	case "vsphere":
		return v1.PersistentVolumeSource{VsphereVolume: &v1.VsphereVirtualDiskVolumeSource{VolumePath: one("[ds] kubevols/d.vmdk", ""), FSType: fsType, StoragePolicyName: one("", "gold"), StoragePolicyID: one("", "id-1")}}
	default:
		return v1.PersistentVolumeSource{PortworxVolume: &v1.PortworxVolumeSource{VolumeID: one("px-1", ""), FSType: fsType, ReadOnly: readOnly}}
	}
}

func inTreeVolume(plugin string, i int) *v1.PersistentVolume {
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-1"}}
	pv.Spec.PersistentVolumeSource = source(plugin, i)
	pv.Spec.AccessModes = one(modes...)
	if maybe(30) {
		pv.Spec.VolumeMode = pointer(v1.PersistentVolumeBlock)
	}
	if maybe(50) {
		pv.Spec.ClaimRef = &v1.ObjectReference{Namespace: one("shop", ""), Name: "data"}
	}
	for _, key := range []string{"kubernetes.io/azure-file-resource-group", "openstorage.io/auth-secret-name", "openstorage.io/auth-secret-namespace", "team"} {
		if maybe(40) {
			metav1.SetMetaDataAnnotation(&pv.ObjectMeta, key, one("a", "b", ""))
		}
	}
	randomPlace(pv, plugin, zone, zone, betaZone, region, betaRegion, driverZoneKeys[plugin], "rack")
	return pv
}

var handles = map[string][]string{
	"aws": {"vol-1", ""},
	"gce": {"projects/p/zones/us-central1-a/disks/d", "projects/UNSPECIFIED/regions/us-central1/disks/d", "projects/p/zones/z/disks/d/x",
		"projects/p/zones/z/disks", "projects/p/zones/z/disks/", "", "d"},
	"azureDisk": diskURIs,
	"azureFile": {"rg#acc#share#disk#ns", "rg#acc#share", "#acc#share#", "rg#acc", "", "##", "rg###"},
	"cinder":    {"d4f6c2"},
	"vsphere":   {"1234-5678", "file:abc"},
	"portworx":  {"px-1"},
}

var attributes = map[string][][2]string{
	"aws":       {{"partition", "1"}, {"partition", ""}, {"partition", "x"}, {"partition", "+7"}, {"partition", "-7"}, {"partition", "007"}, {"partition", "4294967297"}, {"partition", "99999999999999999999"}, {"partition", " 1"}, {"partition", "0x1"}},
	"gce":       {{"partition", "1"}, {"partition", ""}, {"partition", "x"}, {"partition", "-0"}, {"partition", "2147483648"}, {"partition", "1_0"}},
	"azureDisk": {{"cachingMode", "ReadOnly"}, {"cachingmode", ""}, {"FSType", "xfs"}, {"fstype", ""}, {"kind", "Dedicated"}},
	"azureFile": {{"shareName", "s"}, {"sharename", ""}, {"secretName", "sec"}, {"SECRETNAMESPACE", "kube-system"}},
	"cinder":    {{"partition", "x"}},
	"vsphere":   {{"initialvolumefilepath", "[ds] d.vmdk"}, {"Initialvolumefilepath", "x"}, {"type", "vSphere CNS Block Volume"}},
	"portworx":  {{"attached", "no"}},
}

func csiVolume(plugin string, i int) *v1.PersistentVolume {
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-1"}}
	csi := &v1.CSIPersistentVolumeSource{
		Driver: drivers[plugin], VolumeHandle: handles[plugin][i%len(handles[plugin])], FSType: one("", "ext4"), ReadOnly: maybe(40),
		VolumeAttributes: map[string]string{"storage.kubernetes.io/csiProvisionerIdentity": "1"},
	}
	seen := map[string]bool{}
	for _, each := range attributes[plugin] {
		if key := strings.ToLower(each[0]); !seen[key] && maybe(30) {
			seen[key] = true
			csi.VolumeAttributes[each[0]] = each[1]
		}
	}
	if maybe(40) {
		csi.NodeStageSecretRef = &v1.SecretReference{Name: one("secret", ""), Namespace: one("ns", "")}
	}
	pv.Spec.CSI = csi
	pv.Spec.AccessModes = one(modes...)
	if maybe(20) {
		metav1.SetMetaDataAnnotation(&pv.ObjectMeta, "pv.kubernetes.io/provisioned-by", drivers[plugin])
	}
	key := driverZoneKeys[plugin]
	randomPlace(pv, plugin, key, key, key, key, zone, betaZone, "topology.csi.vmware.com/region", region)
	return pv
}

var parameterNames = []string{
	"fstype", "FSType", "type", "iopsPerGB", "encrypted", "availability", "skuname", "storagePolicyName", "datastore", "diskFormat",
	"hostFailuresToTolerate", "forceProvisioning", "cacheReservation", "diskStripes", "objectSpaceReservation", "iopsLimit", "policy",
	"openstorage.io/auth-secret-name", "openstorage.io/auth-secret-namespace", "repl", "csi.storage.k8s.io/fstype", "constructor",
}

func randomClass(plugin string) *storage.StorageClass {
	sc := &storage.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "class"}, Provisioner: plugins[plugin]}
	seen := map[string]bool{}
	set := func(key, value string) {
		if seen[strings.ToLower(key)] {
			return
		}
		seen[strings.ToLower(key)] = true
		if sc.Parameters == nil {
			sc.Parameters = map[string]string{}
		}
		sc.Parameters[key] = value
	}
	// One that says the same as another by a second name would be last or not by the order of a map.
	names := parameterNames
	if maybe(50) {
		names = names[:len(names)-2]
	} else {
		names = names[2:]
	}
	for _, name := range names {
		if maybe(20) {
			set(name, one("a", "B", "", "10"))
		}
	}
	switch chance.Intn(5) {
	case 0:
		set(one("zone", "Zone"), zoneFor(plugin))
	case 1:
		set(one("zones", "ZONES"), one("zone-a,zone-b", "zone-a, zone-b", "", "1,2,"))
	}
	if maybe(50) {
		for range 1 + chance.Intn(2) {
			made := v1.TopologySelectorTerm{}
			for range chance.Intn(3) {
				key := one(zone, betaZone, driverZoneKeys[plugin], region)
				values := []string{zoneFor(plugin), one("0", "12", "x1", "", "eastus-1")}
				made.MatchLabelExpressions = append(made.MatchLabelExpressions, v1.TopologySelectorLabelRequirement{Key: key, Values: values})
			}
			sc.AllowedTopologies = append(sc.AllowedTopologies, made)
		}
	}
	return sc
}

func inline(plugin string, i int) *v1.Volume {
	of := source(plugin, i)
	vol := &v1.Volume{Name: "data"}
	vol.AWSElasticBlockStore, vol.GCEPersistentDisk, vol.AzureDisk = of.AWSElasticBlockStore, of.GCEPersistentDisk, of.AzureDisk
	vol.VsphereVolume, vol.PortworxVolume = of.VsphereVolume, of.PortworxVolume
	if file := of.AzureFile; file != nil {
		vol.AzureFile = &v1.AzureFileVolumeSource{SecretName: file.SecretName, ShareName: file.ShareName, ReadOnly: file.ReadOnly}
	}
	if cinder := of.Cinder; cinder != nil {
		vol.Cinder = &v1.CinderVolumeSource{VolumeID: cinder.VolumeID, FSType: cinder.FSType, ReadOnly: cinder.ReadOnly}
	}
	return vol
}

func main() {
	for _, plugin := range order {
		for i := range 50 {
			toCSI(inTreeVolume(plugin, i))
		}
		for i := range 50 {
			toInTree(csiVolume(plugin, i))
		}
		for range 30 {
			classToCSI(plugins[plugin], randomClass(plugin))
		}
		for i := range 30 {
			inlineToCSI(inline(plugin, i), one("", "shop"))
		}
		repair(drivers[plugin], "some-volume", "some-node")
	}
	// A partition alone decides in a volume without places.
	for _, plugin := range []string{"aws", "gce"} {
		for _, each := range attributes[plugin] {
			pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv-1"}}
			pv.Spec.CSI = &v1.CSIPersistentVolumeSource{Driver: drivers[plugin], VolumeHandle: handles[plugin][0], VolumeAttributes: map[string]string{each[0]: each[1]}}
			toInTree(pv)
		}
	}
	toCSI(&v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "nfs"}, Spec: v1.PersistentVolumeSpec{PersistentVolumeSource: v1.PersistentVolumeSource{NFS: &v1.NFSVolumeSource{Server: "s", Path: "/"}}}})
	toInTree(&v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "nfs"}})
	toInTree(&v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "other"}, Spec: v1.PersistentVolumeSpec{PersistentVolumeSource: v1.PersistentVolumeSource{CSI: &v1.CSIPersistentVolumeSource{Driver: "disk.csi.holdfast", VolumeHandle: "1"}}}})
	inlineToCSI(&v1.Volume{Name: "none"}, "")
	classToCSI("kubernetes.io/nfs", &storage.StorageClass{})

	gceHandles := []string{
		"projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d", "projects/UNSPECIFIED/zones/us-central1-a/disks/d",
		"projects/UNSPECIFIED/regions/UNSPECIFIED/disks/d", "projects/UNSPECIFIED/regions/us-east1/disks/d",
		"projects/p/zones/z/disks/d", "projects/UNSPECIFIED/places/z/disks/d", "projects/UNSPECIFIED/zones/z", "projects/UNSPECIFIED/zones/z/disks/d/e", "",
	}
	nodes := []string{"projects/p/zones/us-central1-b/instances/n", "projects/p/zones/zone/instances/n", "projects/p/zones/a-b-c/instances/n/x", "n", ""}
	for _, handle := range gceHandles {
		for _, node := range nodes {
			repair(drivers["gce"], handle, node)
		}
	}
	repair("disk.csi.holdfast", "1", "n")
}
