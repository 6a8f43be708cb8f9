#ifndef FACET_KERNELS_H
#define FACET_KERNELS_H
#endif
