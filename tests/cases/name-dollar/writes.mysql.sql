UPDATE `$a$1` SET `$a$12` = 'w', `$a$1` = `$a$1` + 1000 WHERE `$a$11` < 5;
DELETE FROM `$a$1` WHERE `$a$11` = 7;
