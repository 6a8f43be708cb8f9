#include "facet_kernels.h"
