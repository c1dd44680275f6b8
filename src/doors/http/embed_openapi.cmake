# Writes the file IN as the C++ function muster::http::openapi_yaml() into OUT.
file(READ "${IN}" yaml)
file(WRITE "${OUT}" "#include \"doors/http/openapi.h\"

namespace muster::http {

std::string_view openapi_yaml() {
    return R\"openapi(${yaml})openapi\";
}

}  // namespace muster::http
")
