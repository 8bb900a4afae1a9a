enum FramingRoom {}
