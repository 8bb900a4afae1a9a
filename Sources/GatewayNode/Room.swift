enum GatewayNodeRoom {}
