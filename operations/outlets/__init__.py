"""The ways out 发送渠道: what leaves by e-mail, webhook or file, as rows written in the change's own transaction."""
