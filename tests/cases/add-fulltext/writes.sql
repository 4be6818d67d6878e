UPDATE t SET b = CONCAT(b, ' more');
