UPDATE "{source} {key}" SET "{source} {key}2" = 'w', "{source} {key}" = "{source} {key}" + 1000 WHERE "{source} {key}1" < 5;
DELETE FROM "{source} {key}" WHERE "{source} {key}1" = 7;
