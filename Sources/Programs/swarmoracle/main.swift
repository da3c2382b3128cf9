import CommandLineTool
import Glibc
import NodeRuntime

Allocator.prepare(CommandLine.arguments)
let tool = Tool.standard { NodeProgram.run(configuration: $0) }
exit(tool.run(Array(CommandLine.arguments.dropFirst()), console: .standard()))
