package service

// WithHookSender sends the messages of webhooks.
func WithHookSender(h HookSender) Option { return func(s *Service) { s.hookSender = h } }
