enum SessionsRoom {}
