package console

// expensive waits until an expensive answer may be computed. The pages count among the
// expensive requests to the API, which the process bounds. The caller calls release when the
// answer is there.
func (c *call) expensive() (release func(), err error) {
	if c.Expensive == nil {
		return func() {}, nil
	}
	return c.Expensive.Acquire(c.ctx(), c.store.Key)
}
