UPDATE "a.b" SET "a.b2" = 'w', "a.b" = "a.b" + 1000 WHERE "a.b1" < 5;
DELETE FROM "a.b" WHERE "a.b1" = 7;
