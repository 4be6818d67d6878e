MODIFY id decimal(20,3) NOT NULL
