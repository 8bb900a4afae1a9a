#include "CRedisShim.h"
