enum TransportsRoom {}
