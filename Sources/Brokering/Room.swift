enum BrokeringRoom {}
