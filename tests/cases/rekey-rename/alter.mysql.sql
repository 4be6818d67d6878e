CHANGE id `the key` int NOT NULL
