// Package testcontainers runs Cohort's image in a container for a test, with
// testcontainers-go. Tests in Go that need no container use package cohorttest, which
// starts in milliseconds.
//
//	ctr, err := testcontainers.Run(ctx, "cohort")
//	tc.CleanupContainer(t, ctr) // tc is github.com/testcontainers/testcontainers-go
//	if err != nil {
//		t.Fatal(err)
//	}
//	base, err := ctr.BaseURL(ctx)
//	…
//	client := mypackage.NewClient(base+"/stores/"+ctr.Store(), ctr.Token())
//
// deploy/Dockerfile builds the image.
package testcontainers

import (
	"context"
	"crypto/rand"
	"fmt"

	tc "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// port is where the server listens in the container.
const port = "8080/tcp"

// The store of a development server and its public token.
const (
	devStore = "demo"
	devToken = "demo-token"
)

// controlTokenVariable is the environment variable with the token of the control API.
const controlTokenVariable = "COHORT_CONTROL_TOKEN"

// Container is a running development server.
type Container struct {
	*tc.DockerContainer
	controlToken string
}

// Run creates a container from an image and returns when the server is ready. The options
// are those of testcontainers-go; they come after Run's own, so that they can change
// these. The data goes with the container.
//
// On an error the container may exist nevertheless. The caller must terminate it in
// either case, which CleanupContainer of testcontainers-go does; it accepts nil too.
func Run(ctx context.Context, img string, opts ...tc.ContainerCustomizer) (*Container, error) {
	controlToken := ""
	all := append(options(), opts...)
	all = append(all, tc.CustomizeRequestOption(func(req *tc.GenericContainerRequest) error {
		controlToken = req.Env[controlTokenVariable] // an option of the caller may have set it
		return nil
	}))
	ctr, err := tc.Run(ctx, img, all...)
	if err != nil {
		err = fmt.Errorf("run Cohort in a container: %w", err)
	}
	if ctr == nil {
		return nil, err
	}
	return &Container{ctr, controlToken}, err
}

// options are those of every container.
func options() []tc.ContainerCustomizer {
	return []tc.ContainerCustomizer{
		tc.WithExposedPorts(port),
		tc.WithCmd("serve", "--dev", "--dev-listen-anywhere"),
		tc.WithEnv(map[string]string{"COHORT_ADDR": ":8080", controlTokenVariable: rand.Text()}),
		tc.WithWaitStrategy(wait.ForHTTP("/readyz").WithPort(port)),
	}
}

// BaseURL returns the URL of the server as the test reaches it, such as
// http://localhost:32768. It returns an error if the container does not run.
func (c *Container) BaseURL(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, port, "http")
}

// Store returns the hash of the store that the server has from its start.
func (c *Container) Store() string { return devStore }

// Token returns a token of that store with every scope.
func (c *Container) Token() string { return devToken }

// ControlToken returns the token of the control API at /_cohort/v1, for the header
// "Authorization: Bearer". Each container has a random one, unless an option sets the
// variable COHORT_CONTROL_TOKEN.
func (c *Container) ControlToken() string { return c.controlToken }
