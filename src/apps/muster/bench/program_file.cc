#include "apps/muster/bench/program_file.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include <elf.h>

namespace muster::cli::bench {
namespace {

template <typename Value>
bool read_at(std::ifstream& file, std::uint64_t offset, Value& value) {
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(reinterpret_cast<char*>(&value), sizeof(value));
    return file.good();
}

}  // namespace

Result<ProgramFile> describe_program(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::error_code unknown;
    const std::uint64_t bytes = std::filesystem::file_size(path, unknown);
    if (!file || unknown) {
        return fail(Errc::not_found, path + " cannot be read");
    }
    ProgramFile program{.bytes = bytes};
    Elf64_Ehdr head{};
    if (!read_at(file, 0, head) || std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64) {
        return fail(Errc::bad_content, path + " is no program of this machine");
    }
    for (std::uint64_t i = 0; i < head.e_shnum; ++i) {
        Elf64_Shdr section{};
        if (!read_at(file, head.e_shoff + i * sizeof(section), section)) {
            return fail(Errc::bad_content, path + " ends before its sections");
        }
        program.stripped = program.stripped && section.sh_type != SHT_SYMTAB;
    }
    return program;
}

}  // namespace muster::cli::bench
