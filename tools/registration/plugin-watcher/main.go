// kubelet's own plugin manager over one folder, and what it does with the sockets there: one JSON line each on standard output.
// A line on standard input says whether the next drivers are accepted: "accept" (as at the start), or "refuse" with a reason.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/kubelet/config"
	"k8s.io/kubernetes/pkg/kubelet/pluginmanager"
	"k8s.io/kubernetes/pkg/kubelet/pluginmanager/cache"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type handler struct {
	mutex   sync.Mutex
	refusal string
}

var _ cache.PluginHandler = &handler{}

func say(event string, name string, endpoint string, versions []string) {
	line, err := json.Marshal(map[string]any{"event": event, "name": name, "endpoint": endpoint, "versions": versions})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func (h *handler) ValidatePlugin(name string, endpoint string, versions []string) error {
	say("validate", name, endpoint, versions)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.refusal != "" {
		return errors.New(h.refusal)
	}
	return nil
}

func (h *handler) RegisterPlugin(name string, endpoint string, versions []string, _ *time.Duration) error {
	say("register", name, endpoint, versions)
	return nil
}

func (h *handler) DeRegisterPlugin(name string, endpoint string) {
	say("deregister", name, endpoint, nil)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: plugin-watcher FOLDER")
		os.Exit(2)
	}
	klog.SetOutput(os.Stderr)
	h := &handler{}
	manager := pluginmanager.NewPluginManager(os.Args[1], record.NewFakeRecorder(100))
	manager.AddHandler(registration.CSIPlugin, h)
	stop := make(chan struct{})
	go manager.Run(context.Background(), config.NewSourcesReady(nil), stop)

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		word, reason, _ := strings.Cut(lines.Text(), " ")
		h.mutex.Lock()
		h.refusal = ""
		if word == "refuse" {
			h.refusal = reason
		}
		h.mutex.Unlock()
		say("heard "+word, "", "", nil)
	}
	close(stop)
}
