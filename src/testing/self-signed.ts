/** A certificate for 127.0.0.1 that nobody vouches for, valid until 2126, and its key, which is no secret. */
export const selfSigned: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9Yy1FAEZYxkkAqGz
v6h6CzRzc3YWt3L0sUPgu2ZarzChRANCAAQs5T+B/ogd2DPlWa9iCcqAr9zT7Af5
jbwXMo/yyFkwjt6My+QaxjGp9BALuNA2Ksxgv2LFqxnRQm79HTSgHfPh
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIULNR9htPB1johBeRdZaBkiKbIdSQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMzAzMTA0NVoYDzIxMjYxMDMw
MDMxMDQ1WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQs5T+B/ogd2DPlWa9iCcqAr9zT7Af5jbwXMo/yyFkwjt6My+QaxjGp
9BALuNA2Ksxgv2LFqxnRQm79HTSgHfPho2QwYjAdBgNVHQ4EFgQUJUum/uk/HBNj
9Z/fP4Xw7r0iM+0wHwYDVR0jBBgwFoAUJUum/uk/HBNj9Z/fP4Xw7r0iM+0wDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
IAd2PRHDaxKuT7fHvMvZnSDXfmv74t5a1G61H5SgvSEAAiBsUcJkXnrYm8M4+G7a
BanZ1eB3pIKqUHZTyfeS8SYNUg==
-----END CERTIFICATE-----
`,
};
