UPDATE "100%s%d" SET "100%s%d2" = 'w', "100%s%d" = "100%s%d" + 1000 WHERE "100%s%d1" < 5;
DELETE FROM "100%s%d" WHERE "100%s%d1" = 7;
