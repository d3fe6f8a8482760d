"""What tests of agent servers share: tool hosts, inputs, recordings that answer, and servers."""
