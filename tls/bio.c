/* bio.c - see bio.h. */
#include "bio.h"

#include "engine.h"

static int read_input(BIO *bio, char *out, int cap)
{
    BIO_clear_retry_flags(bio);
    size_t len = engine_take_input(BIO_get_data(bio), out, cap > 0 ? (size_t)cap : 0);
    if (len > 0)
        return (int)len;
    BIO_set_retry_read(bio);
    return -1;
}

static int write_output(BIO *bio, const char *bytes, int len)
{
    struct tls_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len > 0)
        buf_append(&engine->output, bytes, (size_t)len);
    return len;
}

static long control(BIO *bio, int command, long number, void *arg)
{
    (void)bio, (void)number, (void)arg;
    return command == BIO_CTRL_FLUSH; /* nothing to do, so it always succeeds */
}

BIO_METHOD *bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "engine");
    if (method) {
        BIO_meth_set_read(method, read_input);
        BIO_meth_set_write(method, write_output);
        BIO_meth_set_ctrl(method, control);
    }
    return method;
}

BIO *bio_new(const BIO_METHOD *method, struct tls_engine *engine)
{
    BIO *bio = BIO_new(method);
    if (bio) {
        BIO_set_data(bio, engine);
        BIO_set_init(bio, 1);
    }
    return bio;
}
