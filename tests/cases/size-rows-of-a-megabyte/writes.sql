UPDATE t SET w = CONCAT(w, 'x') WHERE id = 3;
DELETE FROM t WHERE id = 5;
