/* conf_samples.h - configuration texts and the digests that nats-server 2.15 prints for them.
 *
 * The digests were taken from the reference server, not from this one. The texts name environment
 * variables, which conf_set_environment() defines. */
#ifndef TESTS_PARSER_CONF_SAMPLES_H
#define TESTS_PARSER_CONF_SAMPLES_H

#include <stdlib.h>

#define COUNT_OF(rows) (sizeof(rows) / sizeof *(rows))

static inline void conf_set_environment(void)
{
    static const char *const VARIABLES[][2] = {
        {"CONF_NUMBER",  "5"                   },
        { "CONF_SIZE",   "5m"                  },
        { "CONF_YES",    "true"                },
        { "CONF_LIST",   "[a, b ]"             },
        { "CONF_MAP",    "{a=1, b={c=2}}"      },
        { "CONF_QUOTED", "'3xyz'"              },
        { "CONF_EMPTY",  ""                    },
        { "CONF_WORDS",  "a b"                 },
        { "CONF_COMMA",  "a,b"                 },
        { "CONF_OTHER",  "$CONF_NUMBER"        },
        { "CONF_SELF",   "$CONF_SELF"          },
        { "CONF_PING",   "$CONF_PONG"          },
        { "CONF_PONG",   "$CONF_PING"          },
        { "CONF_LOST",   "$conf_nowhere"       },
        { "CONF_BCRYPT", "$2a$10$xyz"          },
        { "CONF_OPEN",   "\"x"                 },
        { "CONF_LOCAL",  "$loc"                },
        { "CONF_HUGE",   "99999999999999999999"},
    };
    for (size_t i = 0; i < COUNT_OF(VARIABLES); i++)
        setenv(VARIABLES[i][0], VARIABLES[i][1], 1);
}

/* What the text shows, the text, its SHA-256. */
#define SAMPLE(name, text, digest)                                                                 \
    {                                                                                              \
        name, text, digest                                                                         \
    }

static const struct {
    const char *name, *text, *digest;
} CONF_GOOD[] = {
    SAMPLE("the empty file", "",
           "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"),
    SAMPLE("plain", "foo = bar",
           "226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de"),
    SAMPLE("colon", "foo: bar", "226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de"),
    SAMPLE("blank", "foo bar", "226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de"),
    SAMPLE("keys may hold nearly everything", "a.b=1\na\"b=2\n$v=3\na-b=4\n\\t=5\n[x]=6\n@/%=7",
           "c9c08f071e27fec03dd6bdd9b7bd119c6ecfc464844b492c99a964b798f6cbea"),
    SAMPLE("quoted keys keep their backslashes",
           "\"a b\"=1\n'c\\t'=2\n\"\"=3\n\"d\"{e=1}\n\"f\"[g]\n\"h\"1\n\"i\" j",
           "af44aace16439433fbc905137f11780d8cbf43ef275ac216f3b05ff9219519b9"),
    SAMPLE("a key and its value on different lines", "a\n=1\nb\n\n\n2\nc\n{\nd\n:\n\n3}\ne\n[f]",
           "51ea5c15aab97c6c0bf69e7d0476f1241dd5aa20d34e6d503238466fa2a7c20a"),
    SAMPLE("every terminator", "a=1,b=2;c=3\nd=4\r\ne=5\rf=6",
           "14b10fa58b47c697b98496eb34578fd143ad39dc3e4055234c12eeb4948cb3ca"),
    SAMPLE("comments", "# one\na=1 # two\n// three\nb=2 // four\nc=x#y\nd=x//y\n#",
           "e2dba6c1ae6c44bcf1e1f0d7820c3ab80dcb39c391092360c7f115d7ed85435f"),
    SAMPLE("comment behind a closed value", "a=\"x\"#c\nb={c=1}//d\n",
           "bcd9db71f09f5e3d4b64b386baf24a4b6947f9649b6371d7a43c17228fb12c3c"),
    SAMPLE("whitespace before keys is Unicode whitespace",
           "\302\240a=1\n\342\200\250b=2\n\343\200\200c\302\240=3\n\013d=4\n\302\205e\0145",
           "47eeae9f048f154d769976cfc3ffa7f98c043ff1d2fcda25ea81b3bfdfc7601e"),
    SAMPLE("but not before values", "a=\302\2401\nb=\013x",
           "0b55f7088665eb661f20903a259abdefc6f2e11206e9e3c5c76820e68845eefc"),
    SAMPLE("maps", "a={}\nb={c=1}\nd {e 2}\nf={g=1,h=2;i=3\nj=4}\nk={\n}\nl={m=1,}\nn={o=1\n\n}",
           "9e60c55d6fb927326d47de59e0b53b049e74a0a730107b2d83a8405a9ad459d6"),
    SAMPLE("maps in maps", "a={b={c={d=1}},e=2}\nf={g\n{h=1}}",
           "0f904cef65115c169436908892208ad3ff60e0e00f0db6a57bfbea769a77ba0a"),
    SAMPLE("map keys may begin with terminators", "a={,b=1}\nc={d=1,,e=2}\nf={g=1\n;h=2}",
           "35d00ed4ba3e845830ffc4c32ff380082ecee056b4c7c809b5a10d1c8cc170af"),
    SAMPLE("map values may stand on the next line", "a={b=\n1\nc:\n\n2\nd\n3}",
           "74da5f91a168cb0480e77c41d6f00a4d71704af3043ab0baeb644cf4272efea4"),
    SAMPLE("map with an equals sign as value", "a={b==1}",
           "242fcf510a051581ba233da201b849caa391251a98c0370d3995f4998d31cabc"),
    SAMPLE("arrays",
           "a=[]\nb=[ ]\nc=[a,b]\nd=[1 ,2 "
           "]\ne=[\n1\n2\n]\nf=[a,]\ng=[\"x\",\"y\"]\nh=[true,off]\ni=[1.5,-2.5]\nj=[-5]",
           "c2405bc214a8a4979038dbb5dd36fbe89aeed07fae2ead9630e2586065bab19e"),
    SAMPLE("arrays of everything", "a=[{b=1},{c=2}]\nd=[[a],[b,c]]\ne=[{f=[g]}\n{h=[{}]}]",
           "28a3eb87de1c7c7015a8aac7fdfec405dd7e91cf96133062a23913e431dda283"),
    SAMPLE("array with comments", "a=[#c\nx #d\ny //e\n#f\n]",
           "502a865675159ab180644474837adfdeed20f45462839e8c6dca7418a84c1ab5"),
    SAMPLE("braces around the document", "{\"a\":1,\"b\":{\"c\":[true,\"d\"]}}\n",
           "2ec3343f71bc72d516db2285fdf938803911a75847d67e2d241d4f3bc354a5ee"),
    SAMPLE("braces around parts", "{a=1}\n{b=2}\nc=3\n{\nd=4\n}\n",
           "823d5deae24229608f95017e7c7a6cf1a9420ca2be4e0a5ba1cd74c597cbefd6"),
    SAMPLE("braces in braces", "{ {a=1}, b=2 }",
           "e8d38819d39f705646bfb643368eca78f7db476c16471dbc33b941b27326410d"),
    SAMPLE("pairs behind a closed document", "{a=1} b=2",
           "e8d38819d39f705646bfb643368eca78f7db476c16471dbc33b941b27326410d"),
    SAMPLE("a brace too many", "a=1 }\nb=2}c=3\n}\n",
           "81b1e7d072d20e8355a1702d20822bc76a3dc696bb6876c156d0e931b0b6a81b"),
    SAMPLE("a brace too many is a key where something follows", "a=1\n}\nb=2",
           "2e6ca0fc01b755d841195dc2264e620348eea53b9bdcffeeea7e978f0a67615d"),
    SAMPLE("an open brace at the end", "{a=1\n",
           "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"),
    SAMPLE("booleans", "a=true\nb=TRUE\nc=yes\nd=On\ne=false\nf=No\ng=OFF",
           "7739d4ddc60334c23e93184c106ddd553747100779a65dae1c5fed4d5c80506e"),
    SAMPLE("no booleans", "a=\"true\"\nb='on'\nc=truex\nd=tr\\x75e\ne=true'\nf=yes#",
           "d081f5590435f828dde553281cf1f5ed7ca7e9a46049d8e20a378cb059641bdf"),
    SAMPLE("integers", "a=0\nb=-1\nc=007\nd=-007\ne=9223372036854775807\nf=-9223372036854775808",
           "c08faf9fc192f7a2317f6f3aa4e083d4a2d7b5e7f19f8276092881466bb2b73c"),
    SAMPLE("sizes",
           "a=1k\nb=1kb\nc=1ki\nd=1kib\ne=2M\nf=2MB\ng=3g\nh=3GiB\ni=1t\nj=1tb\nk=1p\nl=1pi\nm="
           "1e\nn=7eib\no=-3m\np=-3kb",
           "e8cc5d30651d2d71527d90735eba80d0d16e00903e4de3c10c36a188b2cffd12"),
    SAMPLE("sizes before terminators", "a=1k,b=2kb;c=[1k ,2 ]\nd={e=1k}",
           "7ee363b3187fe3b6bd82e67fe6ba5c72ba1b248737318977f2b1c946176a8400"),
    SAMPLE("words that begin like sizes",
           "a=3Gyz\nb=5min\nc=1k#\nd=1kb\"\ne=1bk\nf=1i\ng=1b\nh=1kk\ni=-3Gyz",
           "c8ad945da89a9a70ea7b565f28b8931d35997e7ac67cb271d3a65460e1bdda07"),
    SAMPLE("a size suffix before a digit makes a string", "a=1m30s\nb=1e3\nc=2M5\nd=1kb5\ne=-1k5",
           "3a3dad4192a0b6eac839e087b0fb40972b849c9bb5256ded332a99af4dd28ba8"),
    SAMPLE("durations", "a=5s\nb=10ms\nc=3h\nd=1h30m\ne=2m",
           "0f9236d1deadbcf8d471c9db84c84c32e2845e79afe72969ef3349ac3f71d48a"),
    SAMPLE("words that begin with digits",
           "a=0x10\nb=1_000\nc=1s\\tx\nd=1\\tx\ne=1'x\nf=1\"x\ng=1$v\nh=1=2\ni=1{x\nj=1[x\nk=12)",
           "6d0fb291a606753154e8d18e5e4e72defbdcf734a7d33005e3a505844e1009d6"),
    SAMPLE("a size touching the bracket is a string", "a=[1k]\nb=[10s]\nc=[5kb]",
           "6ef81bbfbb7f23af24fa2b3f65a2132ab557282bfb20b66d6770e193ba8e51dc"),
    SAMPLE("floats",
           "a=1.5\nb=-1.5\nc=0.1\nd=00.10\ne=1.0\nf=-0.0\ng=0.000001\nh=0.0000001\ni=100000000."
           "25\nj=1000000000000000000000.0\nk=0.1000000000000000055511151231257827\nl=3.14#x",
           "9d37bccca9e8015c7f1211aa4eec399ee93e6c9229c739337fb8bdb03a7fed52"),
    SAMPLE("addresses",
           "a=1.2.3.4\nb=127.0.0.1:4222\nc=1.2.3\nd=1.2.\ne=1.2..3-4\nf=1:2\ng=::1\nh=-1.2.3\ni=[1."
           "2.3.4,::1]",
           "abb1d69ba741260f0f99fc1de484356a529024e4d0f06bcb42add852af1cef14"),
    SAMPLE("dates",
           "a=2016-05-04T18:53:41Z\nb=1970-01-01T00:00:00Z\nc=1969-12-31T23:59:59Z\nd=2016-02-"
           "29T00:00:00Z\ne=[2016-05-04T18:53:41Z]\nf=1678-01-01T00:00:00Z\ng=2262-04-11T23:47:16Z",
           "c01dd531a841d98790f041d83c365b8f26df7cdec714956a2e4711fa92e5bbef"),
    SAMPLE(
        "bare strings",
        "a=b\"c\nb=b{c\nc=b[c\nd=b(c\ne=b$c\nf=b=c\ng=b:c\nh=/x\ni=//x\nj=#x\nk=null\nl=\303\251",
        "34dc7abef161e93de7c81cf5c2366c2014c14c899b1533064d8fa68178e84491"),
    SAMPLE("bare strings end at a quote", "a=b'\nc=d' ,e=f'",
           "d2ed8c044d416c00cc9c21d033687fa22ba139602b137b5476468f52b56884c6"),
    SAMPLE("escapes in bare strings", "a=b\\tc\nb=\\x41\nc=\\\\\nd=\\\"x\\\"\ne=x\\ny\\rz",
           "cec7feb9cd075c2ff960a70cd0ef1e82c5046fc677e27b2f10f27163a3626e3b"),
    SAMPLE("empty bare strings", "a=,b=;c=''\nd=\"\"\ne={f=;g=1}\nh=",
           "2fe51a41b3f2ad11e7f2116e835cd832324a7b01cd92aad43319a19913e9b59d"),
    SAMPLE("double quotes",
           "a=\"x "
           "y\"\nb=\"\\t\\n\\r\\\"\\\\\\x41\\xc3\\xa9\"\nc=\"a\nb\"\nd=\"a#b//"
           "c\"\ne=\"$x\"\nf=\"1\"\ng=\"\\x00\"",
           "da7c9ca484ae9640d484fff41610fcd434b83997dcfbb0a660db521d25e4affd"),
    SAMPLE("single quotes", "a='x y'\nb='\\t'\nc='a\nb'\nd='$2b$x'",
           "c553d67f25bf74209ac664500068e1e8e3fa7401b5090b2b61f8d4b59953fc24"),
    SAMPLE("blocks",
           "a=(\nx\n)\nb (\n{ \"y\" }\n  )z\n)\nc=(x\n)\nd={e=(\n\\t\n)\n}\nf=[(\n$v\n)\nx]\n",
           "69bae378746abfc74a440d2624ba0cfbf67b6f408b02be1998884bbf472fc449"),
    SAMPLE("bcrypt", "a=$2a$10$abc/def.\nb=[$2a$x,$2a$y]\nc={password: $2a$11$xyz}\nd=\"$2b$11$x\"",
           "ebc367089c23a33b45367b58bdb50eaa3101c5782e06cb63ea26c556606baaad"),
    SAMPLE("JSON escapes",
           "a=\"\342\200\250\342\200\251<>&\177\001\037\010\014\\t\\n\\r\\\"\\\\/\"\n\"<k>\"=1",
           "a5f6766f8d20c2511c34431660e61652941b86cdd2f9e741525ab477a176628a"),
    SAMPLE("bytes that are no UTF-8",
           "a=\"\377\"\nb=\"\355\240\200\"\nc=\"\300\200\"\nd=\342\202\ne=\377\\t\n\"f\377\"=1",
           "91cee2f7d89a73dccf25bc42807b3a4e36cf85a4bc96fe74fbf2b2ddfdc80385"),
    SAMPLE("sorted by bytes",
           "a.b=1\na=2\na-b=3\nB=4\n\303\251=5\n\360\237\230\200=6\n\357\277\256=7\nz=8",
           "64fd64c8b73e33fe770eec000475027e2ff07140c6169c3840627ae99a957e28"),
    SAMPLE("case matters", "a=1\nA=2",
           "0978669b52fa27cc9e288863c92692c01359d47f9ff23763f758e458f03b72f2"),
    SAMPLE("the last of equal keys wins", "a=1\nb=2\na={c=1,c=2}\n\"b\"=3",
           "e8f51f7e1111e8b83c0ef185f63bdd8c2910ec2fd81d15fa7f58eeeb3003c48f"),
    SAMPLE("variables", "v=1\na=$v\nb=[$v,$v ]\nc={d=$v}",
           "47eeb09b58a0c9033eb668d57d6ec4ae97f30524d70da07600c4f10a796b4d94"),
    SAMPLE("variables of every type",
           "s=\"x\"\ni=1\nf=1.5\nb=true\nd=2016-05-04T18:53:41Z\nm={x=1}\nl=[a,b]\nz=[$s,$i,$f,$b,$"
           "d,$m,$l]",
           "a9d6e2eda0a78ba96cc8a4ef840944bb4859d7d762ad6cc95f4da10d808778c8"),
    SAMPLE("the nearest scope wins", "v=1\nm={v=2,a=$v,n={b=$v}}\nc=$v\nl=[{v=3,d=$v},$v]",
           "f1af0eb81e7e188ee1d132e6b99f0634ed31966bb6fb2e97ce8d42a12a4c8d1e"),
    SAMPLE("a key sees its earlier self", "v=1\nv=$v\nm={v=$v}",
           "ada9f79bdb739820d60e69fb97173cb9495db01c35b2a1193edd455e99dd7122"),
    SAMPLE("variables with odd names", "v.x=1\n$v=2\n\"w\"=3\na=$v.x\nb=$$v\nc=$w",
           "9c2d3c4b458d27ada5357d63ab73df6f23f345264f092739491ebc0ceaff0347"),
    SAMPLE("what looks like a variable", "v=1\na=\"$v\"\nb=x$v\nc=$v'\nd=$v\\t",
           "324e72cbfba4caf2ce1befece9173d55704bfe9a6ae5d02e3a793ef06f6d4495"),
    SAMPLE("variables through variables", "a=1\nb=$a\nc={d=$b,e=$d}\nf=$c",
           "33c46ad68415a82944acccc2fb54b97e60b2ee363492d1579714b3afc24cc9dc"),
    SAMPLE("environment",
           "a=$CONF_NUMBER\nb=$CONF_SIZE\nc=$CONF_YES\nd=$CONF_LIST\ne=$CONF_MAP\nf=$CONF_"
           "QUOTED\ng=$CONF_EMPTY\nh=$CONF_OTHER\ni=$CONF_BCRYPT",
           "f4e2397b926cb03a5bf4403149aac72a86846c38ec81f1ea0c20ae81972d85ff"),
    SAMPLE("a key hides the environment", "CONF_NUMBER=7\na=$CONF_NUMBER",
           "c0da9cbec20aea66ee9950e8fc2b5a1207f0f2d30bd31819f06b486ab560136b"),
    SAMPLE("include as an ordinary key", "\"include\" x\nINCLUDE=1\nm={include: y}\nincludes z",
           "b9a530b6f38b8c22e5e30aafbf959e360e5e4110b1522bf8119af72dcdfb4519"),
    SAMPLE("a lone slash behind a value", "a=1 /\nb={c=1 / d=2}\ne=[x / y]",
           "258e153219578e44904d624f4a1f92346ad1c132f8a85454f50381647780591a"),
    SAMPLE("Windows line ends", "a=1\r\nb={\r\n  c=x\r\n}\r\nd=\"e\r\nf\"\r\n# g\r\n",
           "5c3f0458bf976ff317503d07305919bb6bc852c4f6135b3684176d58e1616609"),
    SAMPLE(
        "a usual file",
        "server_name: n1\nlisten: 0.0.0.0:4222\nmax_payload: 2MB\n\n# who may come "
        "in\nauthorization {\n  ADMIN = {\n    publish = \">\"\n    subscribe = \">\"\n  }\n  "
        "users = [\n    {user: alice, password: $2a$11$UsersHash, permissions: $ADMIN}\n    {user: "
        "bob, password: \"b\\\"ob\", permissions: {publish: {allow: [\"a.*\", \"b.>\"]}}}\n  "
        "]\n}\ntls {\n  cert_file: \"./cert.pem\"\n  timeout: 2.5\n  verify: true\n}\n",
        "1353dcd86b0763dac4dbe11e226d9bbdda7f8da0b668711775a34c3a08a3f503"),
};

#endif
