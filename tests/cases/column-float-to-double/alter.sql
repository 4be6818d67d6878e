MODIFY v double
