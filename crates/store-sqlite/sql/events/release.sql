RELEASE events
