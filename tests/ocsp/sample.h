/* sample.h - a cache.json as nats-server 2.15.1 wrote it, about two certificates of tests/certs/make.sh. */
#ifndef TESTS_OCSP_SAMPLE_H
#define TESTS_OCSP_SAMPLE_H

static const char SAMPLE_FILE[] =
    "{\n"
    " \"I2RBNlQ6Lv4MSbU7kL9ol8kqYY0Tzt3c18L2tRp19w8=\": {\n"
    "  \"subject\": \"CN=client-good,O=Vouch Test\",\n"
    "  \"cached_at\": \"2026-11-21T08:17:56Z\",\n"
    "  \"resp_status\": \"good\",\n"
    "  \"resp_expires\": \"2026-11-22T08:17:55Z\",\n"
    "  \"resp\": \"/wYAAFMyc1R3TwCVAgCVDDJeoQbwuzCCAx0KAQCgggMWMIIDEgYJKwYBBQUHMAEBBIIDAz"
    "CCAv8wgbuhMDAuMRMwEQYDVQQKDApWb3VjaCBUZXN0MRcwFQYDVQQDDA5PQ1NQIHJlc3BvbmRlchgPMjAyNj"
    "ExMjEwODE3NTVaMHYwdDBMMAkGBSsOAwIaBQAEFL9nM0WJ557Kj9mjj6gDLtOdh975BBSv+1FuYgFTBIS5nb"
    "KhGhHPzzROawITaNWMYFSRI5dSHzZVF+ubN2lWL4AAQmUABKARFXgAMhEA8H8KBggqhkjOPQQDAgNIADBFAi"
    "EAvrmebKxl8MdwInTasWJ1CX+APoSnMdPm0zE5WekLS9gCIBE4Ez56oDmK+9t+iN1wW0glQRyI52xHPdpeLx"
    "BAXgeLoIIB5zCCAeMwggHfMIIBhaADAgECAhRq5sYJeewhRBDMKDX3l3xRlYTavy6BAAQwJ1ZGAQgQMA4BFT"
    "QDDAdSb290IENBMB4XDR3aJDNaFw0zNjExMTgF1gQzWr6PARQwWTATBgcFhwQCAS0R8HcDAQcDQgAE454Lwo"
    "ineIFB1CDuJ2eIqrr1TzMGZWHcuzlgY5mKZq8lEmcBJWQba2b6h2AdGMwVT8R/BTYE1Vg9AhdeC80LAqOBhz"
    "CBhDAdBgNVHQ4EFgQUCz/LI8IizfQBR7IZMSmTuLv5ZN0wHwYDVR0jBBgwFoBS4gE0MAwGA1UdEwEB/wQCMA"
    "AlDwQdDwEOGAQDAgeAMBMBHhglBAwwCgYISaEUAwkwDwYJCQwYMAEFBAIFAAEdBeM96/BB7kvBQMmdhz9hou"
    "qsJEci2xyVxmO/HNCzIDHdiJXfJD4CIGJ4p4DobjU6apbFISSeTFLhYLXx3QHTlSJfnMsEt6CT\"\n"
    " },\n"
    " \"mTYBtg8Kju5ZFW/K+I74KaDr/HzBkHEz93KkLe/he00=\": {\n"
    "  \"subject\": \"CN=client-revoked,O=Vouch Test\",\n"
    "  \"cached_at\": \"2026-11-21T08:17:59Z\",\n"
    "  \"resp_status\": \"revoked\",\n"
    "  \"resp_expires\": \"2026-11-22T08:17:58Z\",\n"
    "  \"resp\": \"/wYAAFMyc1R3TwCiAgC4IAOpugbwvjCCAzYKAQCgggMvMIIDKwYJKwYBBQUHMAEBBIIDHD"
    "CCAxgwgdShMDAuMRMwEQYDVQQKDApWb3VjaCBUZXN0MRcwFQYDVQQDDA5PQ1NQIHJlc3BvbmRlchgPMjAyNj"
    "ExMjEwODE3NThaMIGOMIGLME0wCQYFKw4DAhoFAAQUv2czRYnnnsqP2aOPqAMu052H3vkEFK/7UW5iAVMEhL"
    "mdsqEaEc/PNE5rAhQxR3kR9re+ktWf1lIU4ZvF122isqEWOmgAGDNaoAMKAQFCfgAEoBEVEwAyDQDwgDAKBg"
    "gqhkjOPQQDAgNIADBFAiEAsit7WSvgHTwqFOUei/RXg1mDIREuGKD378cpGTflNhMCICvxlVCsLeGdzJgyAP"
    "2vnfeI+f4ey+Mpkxvv+lCa4GnyoIIB5zCCAeMwggHfMIIBhaADAgECAhRq5sYJeewhRBDMKDX3l3xRlYTavy"
    "6BAAQwJ1ZfAQgQMA4BFTQDDAdSb290IENBMB4XDT1YJDNaFw0zNjExMTgF1gQzWr6oARQwWTATBgcFhwQCAS"
    "0R8HcDAQcDQgAE454LwoineIFB1CDuJ2eIqrr1TzMGZWHcuzlgY5mKZq8lEmcBJWQba2b6h2AdGMwVT8R/BT"
    "YE1Vg9AhdeC80LAqOBhzCBhDAdBgNVHQ4EFgQUCz/LI8IizfQBR7IZMSmTuLv5ZN0wHwYDVR0jBBgwFoBS+Q"
    "E0MAwGA1UdEwEB/wQCMAAlDwQdDwEOGAQDAgeAMBMBHgglBAwhzkm6FAMJMA8GCQkMGDABBQQCBQABHQXjPe"
    "vwQe5LwUDJnYc/YaLqrCRHItsclcZjvxzQsyAx3YiV3yQ+AiBieKeA6G41OmqWxSEknkxS4WC18d0B05UiX5"
    "zLBLegkw==\"\n"
    " }\n"
    "}";

#endif
