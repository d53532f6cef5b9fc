DROP TABLE transfer
